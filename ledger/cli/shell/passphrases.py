"""Passphrases: from a file, from the environment or typed; never an argument, which other users of a machine see."""

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
    Path | None, typer.Option(help=f"File with the passphrase in one line; else ${PASSPHRASE}, else it is asked for.")
]
NewPassphraseFile = Annotated[
    Path | None, typer.Option(help=f"File with the new passphrase; else ${NEW_PASSPHRASE}, else it is asked for.")
]


def passphrase_of(file: Path | None, variable: str = PASSPHRASE, *, new: bool = False) -> str:
    """The passphrase; a new one is asked for twice. Raises ``InvalidInput`` ``PASSPHRASE_MISSING``, ``FILE_…``."""
    if file is not None:
        return _line_of(file)
    if told := os.environ.get(variable):
        return told
    try:
        # Where it would be shown while it is typed, it is not asked for.
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
            "There is no passphrase.",
            where="passphrase",
            hint=f"Type it, put it into a file, or into ${variable}.",
        ) from None


def _line_of(file: Path) -> str:
    try:
        text = read_text(file, MAX_FILE_BYTES).decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        text = ""
    if not text or "\n" in text:
        raise InvalidInput("PASSPHRASE_MISSING", "The file does not hold one line of UTF-8 text.", where=str(file))
    return text
