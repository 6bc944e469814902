"""Converts texts to a normal form in which they can be compared: without signs that a keyboard, a spreadsheet or an
export has added.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Final

from ledger.connectors.values import BadValue, as_span

# People write ="0123" or '0123 so that a spreadsheet does not turn the text into a number.
_QUOTED: Final = re.compile(r'=\s*"(.*)"', re.DOTALL)
_APOSTROPHES: Final = "'’‘`"
_BLANKS: Final = re.compile(r"\s+")
_NUMBER: Final = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)(E[+-]?[0-9]{1,3})?", re.ASCII | re.IGNORECASE)
_GROUPED: Final = re.compile(r"[+-]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?", re.ASCII)
_TRUE: Final = frozenset({"true", "t", "yes", "y", "on", "是", "真", "√"})
_FALSE: Final = frozenset({"false", "f", "no", "n", "off", "否", "假", "×"})


def normal_text(text: str) -> str:
    """Return the text with full-width forms as ASCII, and without invisible characters and surrounding blanks."""
    folded = unicodedata.normalize("NFKC", text)
    if not folded.isascii() or not folded.isprintable():
        folded = "".join(sign if sign.isprintable() else _unprintable(sign) for sign in folded)
    folded = _BLANKS.sub(" ", folded).strip()
    if quoted := _QUOTED.fullmatch(folded):
        folded = quoted[1].strip()
    if folded[:1] and folded[0] in _APOSTROPHES:
        folded = folded[1:].strip()
    return folded


def has_content(cell: object) -> bool:
    """Return whether a cell has content. Blanks and invisible characters do not count as content."""
    return bool(normal_text(cell)) if isinstance(cell, str) else cell is not None


def _unprintable(sign: str) -> str:
    # Tabs and line ends become blanks. Zero-width spaces, direction marks and byte order marks are removed.
    return " " if sign.isspace() or unicodedata.category(sign) in ("Zs", "Zl", "Zp") else ""


def read_as(kind: str, text: str) -> object | None:
    """Read a text in normal form as a value of the type ``kind``. Return None if the text cannot be read as this
    type.
    """
    if kind == "number":
        return _number(text)
    if kind == "boolean":
        return _boolean(text)
    if kind == "date":
        return _date(text)
    return text


def _number(text: str) -> Decimal | None:
    plain = text.replace(",", "") if _GROUPED.fullmatch(text) else text
    if not _NUMBER.fullmatch(plain):
        return None
    try:
        return Decimal(plain)
    except InvalidOperation:
        return None


def _boolean(text: str) -> bool | None:
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    number = _number(text)
    return None if number is None or number not in (0, 1) else bool(number)


def _date(text: str) -> tuple[date, date] | None:
    try:
        return as_span(text.upper())
    except BadValue:
        return None
