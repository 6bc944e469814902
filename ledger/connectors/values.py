"""Values of files and databases as exact text: the same, whichever kind of source they come from."""

from __future__ import annotations

import re
from calendar import monthrange
from contextlib import suppress
from datetime import date, datetime, time
from decimal import Decimal
from typing import Final
from uuid import UUID

from ledger.connectors.tabular import MAX_CELL
from ledger.domain.days import SHANGHAI

_PERIOD: Final = re.compile(r"(?P<year>\d{4})(-?(?P<month>\d{2}))?", re.ASCII)


# What a spreadsheet writes into a CSV file where a formula failed: no value, and never an answer.
ERRORS: Final = frozenset(
    {"#N/A", "#REF!", "#DIV/0!", "#VALUE!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!", "#FIELD!", "#BLOCKED!"}
)


class BadValue(Exception):
    """A value that has no exact text; never leaves this package. It does not hold the value."""


def as_text(value: object) -> str:
    """The value as text; raises ``BadValue``.

    Integers and decimals in digits, a decimal with the places it has; a float by its shortest digits, never with an
    exponent; dates and times in ISO 8601, an instant in Shanghai's time; ``true`` and ``false``. No value is blank
    text, as an empty cell of a CSV file is: a rule that needs it refuses it.
    """
    text = _text(value)
    if len(text) > MAX_CELL or is_error(text):
        raise BadValue
    return text


def is_error(text: str) -> bool:
    """Whether a text is what a spreadsheet writes for a formula that failed."""
    return "#" in text[:2] and text.strip().upper() in ERRORS


def as_span(value: object) -> tuple[date, date]:
    """The first and the last day of a date, an instant or an ISO 8601 text, of a month or a year: ``2026-03``,
    ``202603``, ``2026``. Raises ``BadValue``."""
    text = as_text(value)
    span = None
    with suppress(ValueError):
        if parts := _PERIOD.fullmatch(text):
            year, month = int(parts["year"]), int(parts["month"] or 0)
            span = date(year, month or 1, 1), date(year, month or 12, monthrange(year, month or 12)[1])
        else:
            day = _in_shanghai(datetime.fromisoformat(text)).date()
            span = day, day
    # Raised out here, so that it does not carry along the value.
    if span is None:
        raise BadValue
    return span


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    # Before integers: a boolean is one to Python.
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _digits(Decimal(float.__repr__(value)))
    if isinstance(value, Decimal):
        return _digits(value)
    if isinstance(value, datetime):
        return _in_shanghai(value).isoformat()
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    raise BadValue


def _in_shanghai(moment: datetime) -> datetime:
    """An instant in Shanghai's time; a time without a zone is taken to be that already."""
    if moment.tzinfo is None:
        return moment
    # The first and the last day of the calendar have no neighbour to fall on.
    if moment.year in (date.min.year, date.max.year):
        raise BadValue
    return moment.astimezone(SHANGHAI)


# Beyond them, positional digits would be a page of zeros.
_MAGNITUDES: Final = range(-400, 401)


def _digits(value: Decimal) -> str:
    if not value.is_finite() or value.adjusted() not in _MAGNITUDES:
        raise BadValue
    # A zero has no sign.
    return format(value if value else abs(value), "f")
