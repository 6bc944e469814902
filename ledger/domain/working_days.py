"""Working days in Shanghai (工作日): Monday to Friday, less statutory holidays, plus make-up days.

Which days those are, the State Council's General Office announces for each year in the November before
(国务院办公厅关于部分节假日安排的通知); `chinesecalendar` carries the notices. Days that no notice covers yet are
taken as Monday to Friday: a clock that ends on one is provisional, and ``calendar_known`` tells.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from chinese_calendar import holidays, workdays

from ledger.domain.days import end_of_validity, shanghai_day
from ledger.errors import InvalidInput

# The longest that a clock may be set to, so that a wrong number is an error and not a long loop.
MAX_WORKING_DAYS: Final = 1_000
_DAY: Final = timedelta(days=1)
_SATURDAY: Final = 5
_FIRST_KNOWN: Final = date(min(holidays).year, 1, 1)
# A notice may also move the last days of the year before: that of 2019 made 29 December 2018 a working day.
_LAST_KNOWN: Final = date(max(holidays).year, 12, 24)


def calendar_known(day: date) -> bool:
    """Whether the notices cover the day; if not, ``is_working_day`` is a guess and may change."""
    return _FIRST_KNOWN <= day <= _LAST_KNOWN


def is_working_day(day: date) -> bool:
    """Whether people work on that day in Shanghai."""
    return day in workdays or (day.weekday() < _SATURDAY and day not in holidays)


def add_working_days(day: date, count: int) -> date:
    """The ``count``-th working day after ``day``, which itself does not count; ``day`` for 0.

    Raises ``InvalidInput`` ``WORKING_DAYS_INVALID`` for a count below 0 or above ``MAX_WORKING_DAYS``.
    """
    if not 0 <= count <= MAX_WORKING_DAYS:
        raise InvalidInput("WORKING_DAYS_INVALID", f"A clock runs for 0 to {MAX_WORKING_DAYS:,} working days.")
    while count:
        day += _DAY
        count -= is_working_day(day)
    return day


def working_days_between(start: date, end: date) -> int:
    """The working days after ``start`` up to and including ``end``; 0 if ``end`` is not after ``start``."""
    return sum(is_working_day(start + _DAY * each) for each in range(1, (end - start).days + 1))


def end_of_working_days(at: int, count: int) -> int:
    """When a clock of ``count`` working days that starts at ``at`` has run out (both seconds UTC).

    That is the Shanghai midnight after its last day: what is done before it is in time. The day of ``at`` does not
    count. It is provisional unless ``calendar_known(shanghai_day(end - 1))``.
    """
    return end_of_validity(add_working_days(shanghai_day(at), count))
