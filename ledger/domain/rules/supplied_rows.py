"""Rows that a provider supplied, read strictly: cells, numbers, categories, and periods of the calendar.

A period is a year ``YYYY``, a month ``YYYYMM`` or a day ``YYYYMMDD`` in ASCII digits, from 1900 to 2199; the rows under
one rule are all years, all months or all days, and no two are of the same one. Errors name the row, counted from 1, and
the column, and never a value.
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

# What a period counts, by the length of its text.
UNITS: Final[Mapping[int, str]] = {4: "year", 6: "month", 8: "day"}
MAX_TEXT: Final = 200
# Beyond any quantity, and far below what makes exact arithmetic slow. ASCII only: Python would read full-width digits.
_NUMBER: Final = re.compile(r"-?\d{1,30}(\.\d{1,30})?", re.ASCII)
_PERIOD: Final = re.compile(r"(19|20|21)\d\d(\d\d(\d\d)?)?", re.ASCII)
_DIGEST: Final = re.compile(r"(sha-256|sm3):[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Dated(Generic[T]):
    """What a row says of its period. ``ordinal`` counts periods: neighbours differ by one."""

    period: str
    ordinal: int
    place: int
    value: T


def is_number(text: str) -> bool:
    """Whether this is a number as rows and rules write it: ASCII digits, a sign, a point; no exponent."""
    return _NUMBER.fullmatch(text) is not None


def is_line(text: str) -> bool:
    """Whether this is a line: 1 to 200 printable characters without white space at its ends."""
    return 1 <= len(text) <= MAX_TEXT and text.isprintable() and text == text.strip()


def is_digest(text: str) -> bool:
    """Whether this is a digest that names its algorithm."""
    return _DIGEST.fullmatch(text) is not None


def dated(rows: Rows, order: str, read: Read[T], unit: str | None = None) -> list[Dated[T]]:
    """What ``read`` makes of each row, by period; every row is read, also where only the last one counts.

    ``order`` is the column of the periods; without ``unit`` they are of the kind of the first row's. Raises
    ``InvalidInput`` ``ROWS_MISSING``, ``ROW_ORDER_TWICE``, ``ROW_VALUE_INVALID``, ``ROW_COLUMN_MISSING``.
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
                f"The row is of the same {kind} as row {found[ordinal].place}.",
                where=f"row {place}",
                hint=f"Supply one row for each value of {order}.",
            )
        found[ordinal] = Dated(row[order], ordinal, place, read(row, place))
    return [found[ordinal] for ordinal in sorted(found)]


def window(items: Sequence[Dated[T]], last: int) -> list[Dated[T]]:
    """Those of the last so many years, months or days, counted back from the newest; gaps make them fewer."""
    return [item for item in items if item.ordinal > items[-1].ordinal - last]


def cell(row: Row, place: int, column: str) -> str:
    """The text in a cell, never blank."""
    if column not in row:
        raise InvalidInput("ROW_COLUMN_MISSING", f"The row lacks the column {column}.", where=f"row {place}")
    if not row[column].strip():
        raise InvalidInput("ROW_VALUE_INVALID", f"The value of {column} is blank.", where=f"row {place}")
    return row[column]


def period(row: Row, place: int, column: str, unit: str) -> int:
    """The period's ordinal: years of our era, months of our era, or days since its beginning."""
    text = cell(row, place, column)
    ordinal = ordinal_of(text, unit)
    if ordinal is None:
        raise invalid(place, column, f"is not a {unit} like the others", "Write YYYY, YYYYMM or YYYYMMDD.")
    return ordinal


def number(row: Row, place: int, column: str) -> Fraction:
    """The number in a cell, exactly."""
    return Fraction(number_text(row, place, column))


def number_text(row: Row, place: int, column: str) -> str:
    """The number in a cell as the provider wrote it."""
    text = cell(row, place, column)
    if not is_number(text):
        hint = "Write it in ASCII digits, with a point if it has a fraction."
        raise invalid(place, column, "is not a number", hint)
    return text


def score(row: Row, place: int, column: str, top: int) -> int:
    """The whole number from 0 to ``top`` in a cell."""
    value = number(row, place, column)
    if value.denominator != 1 or not 0 <= value <= top:
        raise invalid(place, column, f"is not a whole number from 0 to {top}")
    return int(value)


def category(row: Row, place: int, column: str, choices: Sequence[str]) -> str:
    """One of the choices, to the letter."""
    text = cell(row, place, column)
    if text not in choices:
        raise invalid(place, column, "is none of the scenario's choices", f"One of: {', '.join(choices)}.")
    return text


def line(row: Row, place: int, column: str) -> str:
    """A line of at most 200 printable characters."""
    text = cell(row, place, column)
    if not is_line(text):
        raise invalid(place, column, f"is not a line of at most {MAX_TEXT} printable characters")
    return text


def digest_text(row: Row, place: int, column: str) -> str:
    """A digest that names its algorithm."""
    text = cell(row, place, column)
    if not is_digest(text):
        raise invalid(place, column, "is not a digest", "Write sha-256: or sm3: and 64 lower-case hex digits.")
    return text


def invalid(place: int, column: str, what: str, hint: str | None = None) -> InvalidInput:
    """The error that a cell is wrong."""
    return InvalidInput("ROW_VALUE_INVALID", f"The value of {column} {what}.", where=f"row {place}", hint=hint)


def ordinal_of(text: str, unit: str) -> int | None:
    """The ordinal of a period, as ``period`` counts them; ``None`` for what is no period of that unit."""
    if UNITS.get(len(text)) != unit or not _PERIOD.fullmatch(text):
        return None
    try:
        first = date(int(text[:4]), int(text[4:6] or 1), int(text[6:] or 1))
    except ValueError:
        return None
    return {4: first.year, 6: first.year * 12 + first.month, 8: first.toordinal()}[len(text)]
