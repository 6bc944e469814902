"""Checks flags. If a cell has the flag's value, the source refuses to supply data. If it is not certain that a cell has
another value, the source refuses.
"""

from __future__ import annotations

from ledger.connectors.normal import normal_text, read_as
from ledger.connectors.source import Flag


class UnreadableFlag(Exception):
    """The cell does not have the type that the flag declares. This exception is always caught inside the package."""


def meets(flag: Flag, cell: str) -> bool:
    """Return whether the cell (as text) means the same as the flag's value.

    Numbers are compared as numbers, dates as days, and booleans by their meaning. Texts are compared without invisible
    characters, full-width forms and surrounding blanks. Raises ``UnreadableFlag`` if the cell does not have the type
    that the flag declares; the source then supplies nothing.
    """
    text, value = normal_text(cell).casefold(), normal_text(flag.value).casefold()
    if not text or not value:
        # If the flag's value is an empty text, an empty cell has this value.
        return text == value
    if flag.type is not None and read_as(flag.type, text) is None:
        raise UnreadableFlag
    if text.replace(" ", "") == value.replace(" ", ""):
        return True
    kinds = ("number", "boolean", "date") if flag.type is None else (flag.type,)
    return any((known := read_as(kind, value)) is not None and read_as(kind, text) == known for kind in kinds)
