"""Options and arguments that commands on registered assets share."""

from __future__ import annotations

from typing import Annotated

import typer

Asset = Annotated[str, typer.Argument(help="Asset id, or resource code.", show_default=False)]
By = Annotated[
    str, typer.Option(help="Party id, USCC or name of who acts; its key must be held here.", show_default=False)
]
To = Annotated[str, typer.Option(help="Party id, USCC or name of the recipient.", show_default=False)]
