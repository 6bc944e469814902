"""Compile the contracts into the artifacts that are part of the package.

Examples:
    python scripts/compile.py           write the artifacts that have changed
    python scripts/compile.py --check   exit 1 if the packaged artifacts differ from the compiled sources
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ledger.chain.contracts.compile import outdated, package
from ledger.cli.shell.output import errors_explained

PROJECT = Path(__file__).resolve().parent.parent


def main(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit with 1 if an artifact differs.")] = False,
) -> None:
    """Compile the contracts into ledger/chain/contracts/artifacts."""
    with errors_explained():
        if check:
            stale = outdated(PROJECT)
            for name in stale:
                typer.echo(f"{name}: the packaged artifact differs from the compiled sources; run scripts/compile.py")
            raise typer.Exit(1 if stale else 0)
        for path in package(PROJECT):
            typer.echo(f"wrote {path.relative_to(PROJECT)}")


if __name__ == "__main__":
    typer.run(main)
