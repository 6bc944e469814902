# SPDX-License-Identifier: Apache-2.0
"""Working days in Shanghai (工作日): Monday to Friday without statutory holidays, and make-up days at weekends.

The General Office of the State Council announces holidays and make-up days each November for the next year
(国务院办公厅关于部分节假日安排的通知); the package `chinesecalendar` contains these notices. Until a notice covers a
day, Monday to Friday count as working days. A deadline on such a day is provisional; see ``calendar_known``.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from chinese_calendar import holidays, workdays

from ledger.domain.days import end_of_validity, shanghai_day
from ledger.errors import InvalidInput

# The maximum number of working days until a deadline. A higher number is refused, because counting so many days would
# take long.
MAX_WORKING_DAYS: Final = 1_000
_DAY: Final = timedelta(days=1)
_SATURDAY: Final = 5
_FIRST_KNOWN: Final = date(min(holidays).year, 1, 1)
# The last week of the newest notice's year is not known yet, because the next notice may change its days. For example,
# the notice for 2019 made 29 December 2018 a working day.
_LAST_KNOWN: Final = date(max(holidays).year, 12, 24)


def calendar_known(day: date) -> bool:
    """Return whether the official notices cover the day. For a day that they do not cover, the result of
    ``is_working_day`` may still change.
    """
    return _FIRST_KNOWN <= day <= _LAST_KNOWN


def is_working_day(day: date) -> bool:
    """Return whether the day is a working day in Shanghai."""
    return day in workdays or (day.weekday() < _SATURDAY and day not in holidays)


def add_working_days(day: date, count: int) -> date:
    """Return the ``count``-th working day after ``day``. If ``count`` is 0, return ``day``.

    Raises ``InvalidInput`` ``WORKING_DAYS_INVALID`` for a count below 0 or above ``MAX_WORKING_DAYS``.
    """
    if not 0 <= count <= MAX_WORKING_DAYS:
        message = f"The number of working days must be from 0 to {MAX_WORKING_DAYS:,}."
        raise InvalidInput("WORKING_DAYS_INVALID", message)
    while count:
        day += _DAY
        count -= is_working_day(day)
    return day


def end_of_working_days(at: int, count: int) -> int:
    """Return the deadline (seconds UTC) that is ``count`` working days after the time ``at`` (seconds UTC).

    The deadline is the Shanghai midnight after the last working day; an act before the deadline is in time. The day of
    ``at`` is not counted. The deadline is provisional unless ``calendar_known(shanghai_day(deadline - 1))``.
    """
    return end_of_validity(add_working_days(shanghai_day(at), count))
