"""Call every operation of the API with generated data in every role, and count the answers.

Uses a new ledger in a temporary folder. Needs .venv-clients, which `make test` creates.

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
    seed: Annotated[int, typer.Option(help="The same seed gives the same calls.")] = 20261130,
    examples: Annotated[int, typer.Option(min=1, help="How many calls are generated for each operation and role.")] = 4,
    roles: Annotated[
        str,
        typer.Option(help="Letters of the roles to test, as in the role matrix; U is a caller without a session."),
    ] = "".join(ROLES),
    covering: Annotated[
        str, typer.Option(help="Letters of the roles whose calls also contain the limits of every member's values.")
    ] = "UCA",
) -> None:
    """Run all roles, print a table, and exit with 1 if an answer was wrong."""
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
