# SPDX-License-Identifier: Apache-2.0
"""Strictly reads the rows that a provider supplied: cells, numbers, categories and calendar periods.

A period is a year ``YYYY``, a month ``YYYYMM`` or a day ``YYYYMMDD`` in ASCII digits, from 1900 to 2199. All rows for
one rule have the same unit (year, month or day), and no two rows have the same period. Errors name the row (counted
from 1) and the column, but never repeat a value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Final, Generic, TypeVar

from ledger.errors import InvalidInput

Row = Mapping[str, str]
Rows = Sequence[Row]
T = TypeVar("T")
Read = Callable[[Row, int], T]

# Maps the number of digits in a period to the unit.
UNITS: Final[Mapping[int, str]] = {4: "year", 6: "month", 8: "day"}
MAX_TEXT: Final = 200
# A number has at most 30 digits on each side of the point. This is enough for any quantity, and exact arithmetic is
# still fast. Only ASCII digits are accepted; Python would also accept full-width digits.
_NUMBER: Final = re.compile(r"-?\d{1,30}(\.\d{1,30})?", re.ASCII)
_PERIOD: Final = re.compile(r"(19|20|21)\d\d(\d\d(\d\d)?)?", re.ASCII)
_DIGEST: Final = re.compile(r"(sha-256|sm3):[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Dated(Generic[T]):
    """A value of a row, and the row's period.

    Periods are numbered in the order of time: the ``ordinal`` of the next year, month or day is greater by one.
    """

    period: str
    ordinal: int
    place: int
    value: T


def is_number(text: str) -> bool:
    """Return whether the text is a valid number in a row or rule: ASCII digits, with an optional sign and point."""
    return _NUMBER.fullmatch(text) is not None


def is_line(text: str) -> bool:
    """Return whether the text is 1 to 200 printable characters on one line, without blanks at its ends."""
    return 1 <= len(text) <= MAX_TEXT and text.isprintable() and text == text.strip()


def is_digest(text: str) -> bool:
    """Return whether the text is a digest that begins with the name of its algorithm."""
    return _DIGEST.fullmatch(text) is not None


def dated(rows: Rows, order: str, read: Read[T], unit: str | None = None) -> list[Dated[T]]:
    """Return the value that ``read`` gives for each row, in the order of the rows' periods. All rows are read and
    checked.

    ``order`` is the column of the periods. If ``unit`` is None, the first row decides the unit. Raises ``InvalidInput``
    ``ROWS_MISSING``, ``ROW_ORDER_TWICE``, ``ROW_VALUE_INVALID``, ``ROW_COLUMN_MISSING``.
    """
    if not rows:
        raise InvalidInput("ROWS_MISSING", "There is no row to compute a claim from.")
    kind = unit or UNITS.get(len(cell(rows[0], 1, order)), "month")
    found: dict[int, Dated[T]] = {}
    for place, row in enumerate(rows, start=1):
        ordinal = period(row, place, order, kind)
        if ordinal in found:
            raise InvalidInput(
                "ROW_ORDER_TWICE",
                f"The row has the same {kind} as row {found[ordinal].place}.",
                where=f"row {place}",
                hint=f"Supply one row for each value of {order}.",
            )
        found[ordinal] = Dated(row[order], ordinal, place, read(row, place))
    return [found[ordinal] for ordinal in sorted(found)]


def window(items: Sequence[Dated[T]], last: int) -> list[Dated[T]]:
    """Return the items of the last ``last`` years, months or days, counted back from the newest item. Periods may be
    missing.
    """
    return [item for item in items if item.ordinal > items[-1].ordinal - last]


def cell(row: Row, place: int, column: str) -> str:
    """Return the text in a cell. Raises ``InvalidInput`` if the column is missing or the text is blank."""
    if column not in row:
        raise InvalidInput("ROW_COLUMN_MISSING", f"The row has no column {column}.", where=f"row {place}")
    if not row[column].strip():
        raise InvalidInput("ROW_VALUE_INVALID", f"The value of {column} is blank.", where=f"row {place}")
    return row[column]


def period(row: Row, place: int, column: str, unit: str) -> int:
    """Return the ordinal of the period in a cell. Neighbouring years, months or days have ordinals that differ by
    one.
    """
    text = cell(row, place, column)
    ordinal = ordinal_of(text, unit)
    if ordinal is None:
        raise invalid(place, column, f"is not a {unit}", "Write all rows as YYYY, all as YYYYMM or all as YYYYMMDD.")
    return ordinal


def number(row: Row, place: int, column: str) -> Fraction:
    """Return the exact number in a cell."""
    return Fraction(number_text(row, place, column))


def number_text(row: Row, place: int, column: str) -> str:
    """Return the number in a cell as the provider wrote it."""
    text = cell(row, place, column)
    if not is_number(text):
        hint = "Write it in ASCII digits, with a point if it has a fraction."
        raise invalid(place, column, "is not a number", hint)
    return text


def score(row: Row, place: int, column: str, top: int) -> int:
    """Return the whole number from 0 to ``top`` in a cell."""
    value = number(row, place, column)
    if value.denominator != 1 or not 0 <= value <= top:
        raise invalid(place, column, f"is not a whole number from 0 to {top}")
    return int(value)


def category(row: Row, place: int, column: str, choices: Sequence[str]) -> str:
    """Return the choice in a cell. The cell must contain the choice exactly as ``choices`` has it."""
    text = cell(row, place, column)
    if text not in choices:
        raise invalid(place, column, "is not one of the scenario's choices", f"Use one of: {', '.join(choices)}.")
    return text


def line(row: Row, place: int, column: str) -> str:
    """Return the text in a cell, which must be a line of at most 200 printable characters."""
    text = cell(row, place, column)
    if not is_line(text):
        raise invalid(place, column, f"is not a line of at most {MAX_TEXT} printable characters")
    return text


def digest_text(row: Row, place: int, column: str) -> str:
    """Return the digest in a cell. The digest must begin with the name of its algorithm."""
    text = cell(row, place, column)
    if not is_digest(text):
        raise invalid(place, column, "is not a digest", "Write sha-256: or sm3: and 64 lower-case hex digits.")
    return text


def invalid(place: int, column: str, what: str, hint: str | None = None) -> InvalidInput:
    """Return the error for a wrong cell. ``what`` completes the sentence "The value of <column> …"."""
    return InvalidInput("ROW_VALUE_INVALID", f"The value of {column} {what}.", where=f"row {place}", hint=hint)


def ordinal_of(text: str, unit: str) -> int | None:
    """Return the ordinal of a period, or None if the text is not a period of the given unit."""
    if UNITS.get(len(text)) != unit or not _PERIOD.fullmatch(text):
        return None
    try:
        first = date(int(text[:4]), int(text[4:6] or 1), int(text[6:] or 1))
    except ValueError:
        return None
    return {4: first.year, 6: first.year * 12 + first.month, 8: first.toordinal()}[len(text)]
