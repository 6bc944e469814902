"""Write the OpenAPI schema of the API to docs/openapi.json, so that reviewers see changes of the schema.

Example:
    python scripts/openapi.py
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


def main() -> None:
    """Write docs/openapi.json."""
    path = Path(__file__).resolve().parent.parent / "docs" / "openapi.json"
    schema = create_app(_unopened).openapi()
    path.write_text(json.dumps(schema, ensure_ascii=False, indent=1, sort_keys=True) + "\n", "utf-8")
    typer.echo(f"wrote docs/{path.name}: {len(schema['paths'])} paths")


if __name__ == "__main__":
    typer.run(main)
