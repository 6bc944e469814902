"""Options and arguments that commands of the catalogue share."""

from __future__ import annotations

from typing import Annotated

import typer

Code = Annotated[str, typer.Argument(help="Resource code.", show_default=False)]
By = Annotated[str, typer.Option(help="Party id, USCC or name of the party that acts.", show_default=False)]
Reason = Annotated[str, typer.Option(help="Why; it is recorded.", show_default=False)]
AfterCode = Annotated[str | None, typer.Option(help="Begin after this code.")]
Limit = Annotated[int, typer.Option(min=1, max=1000)]
