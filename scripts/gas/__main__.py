"""Measure the gas of every act of the contracts on a local node, and write the figures with their limits.

Examples:
    python -m scripts.gas           write contracts/gas.json, contracts/size.json and docs/gas.md
    python -m scripts.gas --print   write nothing
"""

from __future__ import annotations

import json
from typing import Annotated

import typer

from ledger.cli.shell.output import errors_explained
from scripts.gas.limits import GAS_FILE, SIZE_FILE, committed, report
from scripts.gas.moves import measure, sizes
from scripts.gas.page import PAGE, write


def main(
    only_print: Annotated[bool, typer.Option("--print", help="Print the result and write nothing.")] = False,
) -> None:
    """Measure gas and code size. Exit 1 if a limit is exceeded, or if an act costs more than before and no reason is
    recorded.
    """
    with errors_explained():
        table = report(measure(), committed())
    for name, row in table.items():
        limit = f"  limit {row['limit']:>9,}" if "limit" in row else ""
        typer.echo(f"{name:44}{row['gas']:>11,}{limit}")
    if not only_print:
        GAS_FILE.write_text(json.dumps(table, indent=1) + "\n")
        SIZE_FILE.write_text(json.dumps(sizes(), indent=1) + "\n")
        write()
        typer.echo(f"wrote {GAS_FILE.name}, {SIZE_FILE.name} and {PAGE.name}")
    exceeded = [name for name, row in table.items() if row["gas"] > row.get("limit", row["gas"]) and "why" not in row]
    for name in exceeded:
        typer.echo(f"{name}: above its limit", err=True)
    unexplained = [name for name, row in table.items() if "why" not in row.get("rise", {"why": ""})]
    for name in unexplained:
        typer.echo(f"{name}: costs more than before; give the reason in RISES", err=True)
    raise typer.Exit(1 if exceeded or unexplained else 0)


if __name__ == "__main__":
    typer.run(main)
