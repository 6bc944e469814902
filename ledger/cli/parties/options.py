"""Arguments that several commands about parties take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

PartyRef = Annotated[
    str,
    typer.Argument(
        help="Party id, USCC or name of an institution; `authority`, `platform`, `self`: the installation's own.",
        show_default=False,
    ),
]
LedgerFile = Annotated[Path, typer.Option(help="The operator's deployment.json: which ledger.", show_default=False)]
Service = Annotated[str, typer.Option(help="Address of the service: https://host.")]
