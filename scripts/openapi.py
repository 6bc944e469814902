"""Write the OpenAPI schema of the API to docs/openapi.json, so that reviewers see changes of the schema.

Example:
    python scripts/openapi.py
    python scripts/openapi.py --check
"""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from pathlib import Path

import typer

from api.app import create_app
from ledger.installation.participant import Participant


def _unopened() -> AbstractContextManager[Participant]:
    raise AssertionError("the schema needs no ledger")


def main(check: bool = typer.Option(False, "--check", help="Write nothing; compare the file with the code.")) -> None:
    """Write docs/openapi.json, or with --check fail if the file differs from the schema in the code."""
    path = Path(__file__).resolve().parent.parent / "docs" / "openapi.json"
    schema = create_app(_unopened).openapi()
    text = json.dumps(schema, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    if check:
        if path.read_text("utf-8") != text:
            typer.echo(f"docs/{path.name} differs from the code: run python scripts/openapi.py", err=True)
            raise typer.Exit(1)
        return
    path.write_text(text, "utf-8")
    typer.echo(f"wrote docs/{path.name}: {len(schema['paths'])} paths")


if __name__ == "__main__":
    typer.run(main)
