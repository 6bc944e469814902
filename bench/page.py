"""Write docs/performance.md and its pictures from the results of a run, and keep these results as bench/results.json.

Example:
    python -m bench.page bench-out      take a new run
    python -m bench.page                write the page again from the results that are kept
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from bench.report import pictures
from bench.report.grids import Grid, grids
from bench.report.results import Results
from bench.report.targets import targets

BENCH: Final = Path(__file__).resolve().parent
RESULTS: Final = BENCH / "results.json"
PICTURES: Final = BENCH / "pictures"
MISSED: Final = BENCH / "missed.toml"
PAGE: Final = BENCH.parent / "docs" / "performance.md"
HEAD: Final = """\
# Performance

How fast certificates are recorded, issued and anchored, beside what others would use instead. `make bench` measures
everything in one run on one machine. This page is written from the results of one run, which are kept in
`bench/results.json`; a test compares the two.
"""
HOW: Final = """\
## How it was measured

- All parts ran one after the other. Nothing else ran on the machine if the load before the run (above) is near zero.
- *This project*: a bank asks for the social insurance contributions of a person (scenario S02), the person consents,
  and an agency answers. These three statements were made and signed before the clock started, in other processes,
  without the ledger. The clock starts with nothing but the signed statements, and stops when the anchor is confirmed.
  It includes every check of signatures, permissions and standing. *Whole share* is the sum of all five stages. The
  statements come as Python objects, through the same use cases that the API and the command line call.
- *Peers*: a client in Python (web3.py) with one key. It counts its own nonce, uses a fixed gas limit, and waits for
  each receipt. EAS stores one digest of 32 bytes for each attestation; the project, too, anchors one digest of 32 bytes
  for each statement. The contracts of EAS and TradeTrust are the published bytecode; the ERC-721 token is the smallest
  that OpenZeppelin's library gives. The bare Merkle anchor hashes documents of 1,500 bytes and checks nothing.
- *Gas of the project* counts the certificate together with its three statements, which are anchored too.
- *CPU* is the processor time of the client or of the service, without the node.
- *Floor*: what the signatures, rows, sealed texts and hashes of a stage cost alone, measured in the same run.
- *Only the node*: the transactions of the same act, recorded and sent again to the same node in the same state.
- Counts of queries and calls come from a pass of their own, whose time is not used.
"""
REPEAT: Final = """\
## How to repeat it

`make bench` installs the peers' packages into `bench/node_modules` once and ends in about five minutes.
`make bench SIZE=1000000` makes a million certificates. The result is `bench-out/bench.json`, with three pictures.
`python -m bench.page bench-out` writes this page from it.
"""
AFTER: Final = {
    "Targets": ("throughput.svg", "Items for each second, by the size of a set"),
    "Peers, items for each second": ("gas.svg", "Gas for each item, by the size of a set"),
    "Growth": ("growth.svg", "Growth: rate and memory"),
}


def page(data: dict[str, Any]) -> str:
    """Return the text of docs/performance.md for the results of a run."""
    results = Results(data)
    tables = list(grids(results))
    parts = [HEAD, _machine(data), _section(tables[0]), *_missed(results), HOW]
    return "\n".join([*parts, *(_section(each) for each in tables[1:]), REPEAT])


def write(data: dict[str, Any]) -> None:
    """Write the page and its pictures."""
    PAGE.write_text(page(data), "utf-8")
    pictures.save(Results(data), PICTURES)


def _machine(data: dict[str, Any]) -> str:
    machine = data["machine"]
    libraries = ", ".join(f"{name} {version}" for name, version in machine["libraries"].items())
    peers = ", ".join(f"{name} {version}" for name, version in data.get("packages", {}).items())
    rows = (
        ("day", data["at"]),
        ("certificates in the long run", f"{data['size']:,}, of {data['subjects']:,} subjects"),
        ("machine", f"{machine['cores']} cores of {machine['processor']}, {machine['memory_gb']} GB of memory"),
        ("load before the run", f"{data['load_before']}"),
        ("time of the whole run", f"{data['seconds']:,} s"),
        ("software", f"{machine['system']}, Python {machine['python']}, SQLite {machine['sqlite']}, {libraries}"),
        ("peers", peers or "not installed"),
        *((f"durability: {name}", text) for name, text in data["durability"].items()),
    )
    return "## What was measured, and on what\n\n" + _table(("", ""), rows)


def _section(grid: Grid) -> str:
    text = f"## {grid.title}\n\n" + _table(grid.heads, grid.rows)
    if found := AFTER.get(grid.title):
        text += f"\n![{found[1]}](../bench/pictures/{found[0]})\n"
    return text


def _missed(results: Results) -> Iterator[str]:
    """Yield a text for each missed target, which says why the target is missed and what will be done next."""
    known = tomllib.loads(MISSED.read_text("utf-8"))
    missed = [each for each in targets(results) if each.met is False]
    if missed:
        rows = [(each.what, known[each.key]["reason"], known[each.key]["next"]) for each in missed]
        yield "## Why targets are missed\n\n" + _table(("target", "reason", "next"), rows)


def _table(heads: tuple[str, ...], rows: Any) -> str:
    lines = [heads, ("---", *("---:" if len(heads) > 2 else "---" for _ in heads[1:])), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def main(
    folder: Annotated[Path | None, typer.Argument(help="The output folder of a run, such as bench-out.")] = None,
) -> None:
    """Write docs/performance.md from the run in the given folder, or from the stored results if no folder is given."""
    if folder is not None:
        RESULTS.write_text((folder / "bench.json").read_text("utf-8"), "utf-8")
    write(json.loads(RESULTS.read_text("utf-8")))
    typer.echo(f"wrote docs/{PAGE.name} and {len(AFTER)} pictures")


if __name__ == "__main__":
    typer.run(main)
