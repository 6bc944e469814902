"""Arguments and options that several commands about certificates take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Number = Annotated[str, typer.Argument(help="Certificate number, DAC-…", show_default=False)]
Nonce = Annotated[str, typer.Option(help="The nonce that the consumer gave.", show_default=False)]
Fields = Annotated[str | None, typer.Option(help="Fields to disclose, by comma; default all.")]
BundleOut = Annotated[Path, typer.Option(help="Where the bundle goes.")]
