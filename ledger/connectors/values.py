"""Converts values of files and databases to exact text. Equal values give the same text in every kind of source."""

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


# A spreadsheet writes these texts into a CSV file if a formula failed. They are never used as values.
ERRORS: Final = frozenset(
    {"#N/A", "#REF!", "#DIV/0!", "#VALUE!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!", "#FIELD!", "#BLOCKED!"}
)


class BadValue(Exception):
    """Raised if a value has no exact text. This exception is always caught inside the package, and does not contain the
    value.
    """


def as_text(value: object) -> str:
    """Return the value as text. Raises ``BadValue`` if the value has no exact text.

    Integers and decimals are written in digits, a decimal with all its decimal places; a float with its shortest
    digits, without an exponent; dates and times in ISO 8601, instants in Shanghai time; booleans as ``true`` and
    ``false``. None becomes an empty text, like an empty cell of a CSV file; a rule that needs the value refuses the
    empty text.
    """
    text = _text(value)
    if len(text) > MAX_CELL or is_error(text):
        raise BadValue
    return text


def is_error(text: str) -> bool:
    """Return whether the text is one that spreadsheets write for a failed formula, such as #N/A."""
    return "#" in text[:2] and text.strip().upper() in ERRORS


def as_span(value: object) -> tuple[date, date]:
    """Return the first and the last day that a value covers. The value is a date, an instant, or a text in ISO 8601.

    A text may also be a month or a year: ``2026-03``, ``202603``, ``2026``. Raises ``BadValue``.
    """
    text = as_text(value)
    span = None
    with suppress(ValueError):
        if parts := _PERIOD.fullmatch(text):
            year, month = int(parts["year"]), int(parts["month"] or 0)
            span = date(year, month or 1, 1), date(year, month or 12, monthrange(year, month or 12)[1])
        else:
            day = _in_shanghai(datetime.fromisoformat(text)).date()
            span = day, day
    # The error is raised outside the ``suppress`` block, so that its context does not contain the value.
    if span is None:
        raise BadValue
    return span


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    # In Python a boolean is also an integer, so booleans are checked before integers.
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
    """Return an instant in Shanghai time. A time without a time zone is already Shanghai time."""
    if moment.tzinfo is None:
        return moment
    # In the first and the last year that Python supports, converting the time could leave the supported years.
    if moment.year in (date.min.year, date.max.year):
        raise BadValue
    return moment.astimezone(SHANGHAI)


# The allowed magnitudes of a float, as powers of ten. A float outside this range would have a page of zeros if it were
# written without an exponent.
_MAGNITUDES: Final = range(-400, 401)


def _digits(value: Decimal) -> str:
    if not value.is_finite() or value.adjusted() not in _MAGNITUDES:
        raise BadValue
    # Negative zero is written like zero, without a sign.
    return format(value if value else abs(value), "f")
