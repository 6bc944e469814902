"""Arguments and options that the commands on requests, consents and provisions share."""

from __future__ import annotations

from typing import Annotated

import typer

PartyArgument = Annotated[str, typer.Argument(help="Party id, USCC or name.", show_default=False)]
RequestId = Annotated[str, typer.Argument(help="Id of the request.", show_default=False)]
By = Annotated[str, typer.Option(help="The acting party: id, USCC or name. `self`: the party of this installation.")]
After = Annotated[str | None, typer.Option(help="List only records after this id.")]
Limit = Annotated[int, typer.Option(min=1, max=1000)]
