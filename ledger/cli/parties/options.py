"""Arguments that several commands about parties take."""

from __future__ import annotations

from typing import Annotated

import typer

PartyRef = Annotated[
    str,
    typer.Argument(
        help="Party id, USCC or name of an institution; `authority`, `platform`, `self`: the installation's own.",
        show_default=False,
    ),
]
