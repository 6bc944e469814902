"""Arguments and options that several commands about requests, consents and provisions share."""

from __future__ import annotations

from typing import Annotated

import typer

PartyArgument = Annotated[str, typer.Argument(help="Party id, USCC or name.", show_default=False)]
RequestId = Annotated[str, typer.Argument(help="Request id.", show_default=False)]
After = Annotated[str | None, typer.Option(help="Begin after this id.")]
Limit = Annotated[int, typer.Option(min=1, max=1000)]
