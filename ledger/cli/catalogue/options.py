"""Options and arguments that the commands of the catalogue share."""

from __future__ import annotations

from typing import Annotated

import typer

Code = Annotated[str, typer.Argument(help="Resource code.", show_default=False)]
By = Annotated[str, typer.Option(help="The acting party: id, USCC or name.", show_default=False)]
Reason = Annotated[str, typer.Option(help="The reason for this act; it is recorded.", show_default=False)]
AfterCode = Annotated[str | None, typer.Option(help="List only entries after this code.")]
Limit = Annotated[int, typer.Option(min=1, max=1000)]
