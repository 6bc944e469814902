"""Options and arguments that the commands on assets share."""

from __future__ import annotations

from typing import Annotated

import typer

Asset = Annotated[str, typer.Argument(help="Asset id, or resource code.", show_default=False)]
By = Annotated[
    str, typer.Option(help="The acting party: id, USCC or name. Its key must be kept here.", show_default=False)
]
To = Annotated[
    str, typer.Option(help="The party that receives the asset or right: party id, USCC or name.", show_default=False)
]
