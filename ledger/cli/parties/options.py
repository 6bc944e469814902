"""Arguments and options of several commands about parties."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

PartyRef = Annotated[
    str,
    typer.Argument(
        help="Party id, USCC or institution's name; or a party of this installation: `authority`, `platform`, `self`.",
        show_default=False,
    ),
]
LedgerFile = Annotated[
    Path, typer.Option(help="The operator's deployment.json, which names the ledger.", show_default=False)
]
Service = Annotated[str, typer.Option(help="Address of the service, such as https://platform.example.")]
DirectNode = Annotated[
    str | None,
    typer.Option(
        help="Address of the node to which the act is sent, if not to the service.", envvar="PINGZHENG_RPC_URL"
    ),
]
Payer = Annotated[Path | None, typer.Option(help="Key file of another account, which sends the act and pays.")]
Out = Annotated[Path | None, typer.Option(help="Only sign; write the act to this file, which anybody can send.")]
