"""Read names, ID numbers and phone numbers from a file, from standard input or from the terminal.

Personal data is never an argument, because other users of the machine can see arguments and shells store them.
"""

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
    """Return the text of each member. The texts come from a JSON object in ``file`` (``-``: standard input), or from
    the terminal.

    ``members`` gives for each member the question that is asked on a terminal. ``optional`` members are accepted in a
    file, but not asked for. Raises ``InvalidInput``: ``PERSONAL_MISSING`` if there is neither a file nor a terminal,
    ``PERSONAL_FORM`` if the content is wrong, ``FILE_…`` if the file cannot be read.
    """
    if file is None:
        return _typed(members)
    raw = sys.stdin.buffer.read(MAX_FILE_BYTES) if file == STDIN else _private(file)
    try:
        given = json.loads(raw)
    except ValueError:
        given = None
    known = {**members, **(optional or {})}
    if not isinstance(given, dict) or not members.keys() <= given.keys() <= known.keys():
        raise _form(members, file)
    if not all(isinstance(value, str) for value in given.values()):
        raise _form(members, file)
    return given


def readable_by_owner_alone(file: Path) -> None:
    """Remove other users' permissions on the file, if this user may change its permissions."""
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
            f"There is no terminal on which these members can be typed: {', '.join(members)}.",
            where="--file",
            hint="Give a JSON file, or `-` to read standard input.",
        )
    return {name: str(typer.prompt(text, err=True)) for name, text in members.items()}


def _form(members: Mapping[str, str], file: Path) -> InvalidInput:
    return InvalidInput(
        "PERSONAL_FORM",
        f"The file must contain a JSON object whose values are texts, with the members: {', '.join(members)}.",
        where=file.name,
        hint="Write the file in UTF-8, and delete it after use.",
    )
