"""Names, ID numbers and phones: from a file, from standard input or typed; never an argument, which other users of a
machine see and shells keep."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import typer

from ledger.cli.shell.files import read_text
from ledger.errors import InvalidInput

STDIN: Final = Path("-")
MAX_FILE_BYTES: Final = 64 * 1024


def members_of(
    file: Path | None, members: Mapping[str, str], optional: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The text of each member: from a JSON object in ``file``, from standard input for ``-``, or as typed.

    ``members`` says by name what is asked for on a terminal; ``optional`` ones are not asked for. Raises
    ``InvalidInput`` ``PERSONAL_MISSING`` where there is neither, ``PERSONAL_FORM``, ``FILE_…``.
    """
    if file is None:
        return _typed(members)
    raw = sys.stdin.buffer.read(MAX_FILE_BYTES) if file == STDIN else _private(file)
    try:
        told = json.loads(raw)
    except ValueError:
        told = None
    known = {**members, **(optional or {})}
    if not isinstance(told, dict) or not members.keys() <= told.keys() <= known.keys():
        raise _form(members, file)
    if not all(isinstance(value, str) for value in told.values()):
        raise _form(members, file)
    return told


def readable_by_owner_alone(file: Path) -> None:
    """Take the file from other users of the machine, where it is ours to do so."""
    with contextlib.suppress(OSError):
        file.chmod(0o600)


def _private(file: Path) -> bytes:
    raw = read_text(file, MAX_FILE_BYTES)
    readable_by_owner_alone(file)
    return raw


def _typed(members: Mapping[str, str]) -> dict[str, str]:
    if not sys.stdin.isatty():
        raise InvalidInput(
            "PERSONAL_MISSING",
            f"There is no terminal to ask for: {', '.join(members)}.",
            where="--file",
            hint="Give a JSON file, or `-` for standard input.",
        )
    return {name: str(typer.prompt(text, err=True)) for name, text in members.items()}


def _form(members: Mapping[str, str], file: Path) -> InvalidInput:
    return InvalidInput(
        "PERSONAL_FORM",
        f"A JSON object of texts is expected, with: {', '.join(members)}.",
        where=file.name,
        hint="Write the file in UTF-8, and delete it when it is not needed any more.",
    )
