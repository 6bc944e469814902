"""Try every operation of the API with made-up calls in the name of every role, and count the answers.

Takes a ledger of its own in a temporary folder. Needs .venv-clients (`make test` makes it).

Example:
    python scripts/try_schema.py --seed 20261130 --examples 4
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from tempfile import mkdtemp
from typing import Annotated

import typer

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.support.api.parts import opened
from tests.support.api.stage import Stage
from tests.support.api.trying_schema import PHASES, ROLES, trying


def main(
    seed: Annotated[int, typer.Option(help="Makes a run repeatable.")] = 20261130,
    examples: Annotated[int, typer.Option(min=1, help="Made-up calls of each operation and role.")] = 4,
    roles: Annotated[str, typer.Option(help="Columns of the role matrix; U is nobody.")] = "".join(ROLES),
    covering: Annotated[str, typer.Option(help="Roles that also try every bound of every member.")] = "UCA",
) -> None:
    """Run all roles, print a table, and end with 1 if anything was wrong."""
    folder = Path(mkdtemp(prefix="try-schema-"))
    statuses: Counter[int] = Counter()
    wrong = 0
    with opened(folder / "home") as api, trying(api, Stage(api), folder) as service:
        for role in roles:
            phases = [phase for phase in PHASES if phase != "coverage" or role in covering]
            tried = service.run(role, phases, examples=examples, seed=seed)
            statuses += tried.statuses
            wrong += len(tried.failures)
            typer.echo(
                f"{role}: {tried.calls} calls, {len(tried.failures)} wrong, {dict(sorted(tried.statuses.items()))}"
            )
            for failure in tried.failures:
                typer.echo(f"  {failure}")
    typer.echo(f"all: {statuses.total()} calls, {wrong} wrong, seed {seed}, {dict(sorted(statuses.items()))}")
    typer.echo(f"reports: {folder}")
    if wrong or max(statuses) >= 500:
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
