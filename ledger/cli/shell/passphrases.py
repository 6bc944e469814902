"""Read passphrases from a file, from the environment or from the terminal.

A passphrase is never an argument, because other users of the machine can see arguments.
"""

from __future__ import annotations

import os
import warnings
from getpass import GetPassWarning
from pathlib import Path
from typing import Annotated, Final

import typer

from ledger.cli.shell.files import read_text
from ledger.errors import InvalidInput

PASSPHRASE: Final = "PINGZHENG_WALLET_PASSPHRASE"  # noqa: S105 - the variable's name
NEW_PASSPHRASE: Final = "PINGZHENG_WALLET_NEW_PASSPHRASE"  # noqa: S105 - the variable's name
MAX_FILE_BYTES: Final = 8 * 1024

PassphraseFile = Annotated[
    Path | None,
    typer.Option(help=f"File with the passphrase on one line; default: ${PASSPHRASE}, or typed at the terminal."),
]
NewPassphraseFile = Annotated[
    Path | None,
    typer.Option(help=f"File with the new passphrase; default: ${NEW_PASSPHRASE}, or typed at the terminal."),
]


def passphrase_of(file: Path | None, variable: str = PASSPHRASE, *, new: bool = False) -> str:
    """Return the passphrase from the file, the environment or the terminal. A new passphrase must be typed twice.

    Raises ``InvalidInput`` ``PASSPHRASE_MISSING``, or ``FILE_…`` if the file cannot be read.
    """
    if file is not None:
        return _line_of(file)
    if configured := os.environ.get(variable):
        return configured
    try:
        # If the terminal cannot hide what the user types, Python only warns. Raise an error instead of showing the
        # passphrase.
        with warnings.catch_warnings(action="error", category=GetPassWarning):
            return str(
                typer.prompt(
                    "新口令 New passphrase" if new else "口令 Passphrase",
                    hide_input=True,
                    confirmation_prompt=new,
                    err=True,
                )
            )
    except (typer.Abort, GetPassWarning):
        raise InvalidInput(
            "PASSPHRASE_MISSING",
            "No passphrase was given.",
            where="passphrase",
            hint=f"Type the passphrase, or put it into a file or into ${variable}.",
        ) from None


def _line_of(file: Path) -> str:
    try:
        text = read_text(file, MAX_FILE_BYTES).decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        text = ""
    if not text or "\n" in text:
        raise InvalidInput("PASSPHRASE_MISSING", "The file does not contain one line of UTF-8 text.", where=str(file))
    return text
