"""Whether a cell holds the value by which a source refuses. Where in doubt, it does: what must not leave, stays."""

from __future__ import annotations

from ledger.connectors.normal import normal_text, read_as
from ledger.connectors.source import Flag


class UnreadableFlag(Exception):
    """A cell that is not of the type that the flag was declared with; never leaves this package."""


def meets(flag: Flag, cell: str) -> bool:
    """Whether the cell, as text, means the flag's value.

    Numbers compare as numbers, dates as days, booleans by their meaning, texts without what is invisible, full-width or
    around them. A declared type also has to fit the cell: raises ``UnreadableFlag``, so that nothing is supplied.
    """
    text, value = normal_text(cell).casefold(), normal_text(flag.value).casefold()
    if not text or not value:
        # An empty value refuses where there is none.
        return text == value
    if flag.type is not None and read_as(flag.type, text) is None:
        raise UnreadableFlag
    if text.replace(" ", "") == value.replace(" ", ""):
        return True
    kinds = ("number", "boolean", "date") if flag.type is None else (flag.type,)
    return any((known := read_as(kind, value)) is not None and read_as(kind, text) == known for kind in kinds)
