# SPDX-License-Identifier: Apache-2.0
"""Days and times in Asia/Shanghai, as people read and write them. The program itself stores times as seconds UTC."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

from ledger.errors import InvalidInput

_HOUR: Final = timedelta(hours=1)
_OFFSET: Final = timedelta(hours=8)
# For each year, the first and the last day of summer time, which began and ended at 2:00 (State Council 1986, abolished
# 1992).
_SUMMERS: Final = {
    1986: ((5, 4), (9, 14)),
    1987: ((4, 12), (9, 13)),
    1988: ((4, 17), (9, 11)),
    1989: ((4, 16), (9, 17)),
    1990: ((4, 15), (9, 16)),
    1991: ((4, 14), (9, 15)),
}


class _Shanghai(tzinfo):
    """China's single time zone since 1949: UTC+8, and one hour more in the summers of 1986 to 1991.

    When the clocks change, an hour does not exist (spring) or an hour occurs twice (autumn). For these hours, ``fold``
    (PEP 495) chooses between the offsets before and after the change, as in ``zoneinfo``.
    """

    def utcoffset(self, moment: datetime | None) -> timedelta:
        return _OFFSET + self.dst(moment)

    def dst(self, moment: datetime | None) -> timedelta:
        if moment is None or moment.year not in _SUMMERS:
            return timedelta()
        first, end = _summer(moment.year)
        local = moment.replace(tzinfo=None)
        # In spring one hour does not exist: a time in this hour has the offset before the change if ``fold`` is 0, and
        # the offset after the change if ``fold`` is 1. In autumn one hour occurs twice: ``fold`` 0 means its first
        # occurrence, 1 its second.
        begins, ends = (first + _HOUR, end) if moment.fold == 0 else (first, end - _HOUR)
        return _HOUR if begins <= local < ends else timedelta()

    def tzname(self, _moment: datetime | None) -> str:
        return "Asia/Shanghai"

    def fromutc(self, moment: datetime) -> datetime:
        local = moment + _OFFSET
        if local.year not in _SUMMERS:
            return local
        first, end = _summer(local.year)
        bare = local.replace(tzinfo=None)
        if first <= bare < end - _HOUR:
            return local + _HOUR
        return local.replace(fold=int(end - _HOUR <= bare < end))


def _summer(year: int) -> tuple[datetime, datetime]:
    """Return the times at which summer time began and ended in a year, as the clocks showed them before the change."""
    first, last = _SUMMERS[year]
    return datetime(year, *first, 2), datetime(year, *last, 2)  # noqa: DTZ001 - clock times


SHANGHAI: Final = _Shanghai()
DAY: Final = 86_400
# A function that returns the current time in seconds UTC.
Clock = Callable[[], int]
# The last second of the year 9999, the latest time that Python can format. The contracts accept later times.
LAST_SECOND: Final = 253_402_271_999
# Validities, deadlines and reports must lie between these two days (both included). Python can also represent the days
# just outside this range, so code can add a day to any allowed day, or subtract one, without an error.
FIRST_DAY: Final = date(1900, 1, 1)
LAST_DAY: Final = date(9998, 12, 31)


def shanghai_day(seconds: int) -> date:
    """Return the day in Shanghai at the time ``seconds`` (UTC)."""
    return datetime.fromtimestamp(seconds, UTC).astimezone(SHANGHAI).date()


def shanghai_time(seconds: int) -> str:
    """Return the time in Shanghai as ``YYYY-MM-DD HH:MM:SS``; a time after the year 9999 becomes its last second."""
    shown = datetime.fromtimestamp(min(seconds, LAST_SECOND), UTC).astimezone(SHANGHAI)
    return shown.strftime("%Y-%m-%d %H:%M:%S")


def day_of(text: str, where: str | None = None) -> date:
    """Return the day that is written as ``YYYY-MM-DD``.

    Raises ``InvalidInput``: ``DAY_FORM`` for any other text, ``DAY_RANGE`` for a day before ``FIRST_DAY`` or after
    ``LAST_DAY``.
    """
    day: date | None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:
        raise InvalidInput("DAY_FORM", "A day must be written as YYYY-MM-DD.", where=where)
    return require_day(day, where)


def require_day(day: date, where: str | None = None) -> date:
    """Return the day; raise ``InvalidInput`` ``DAY_RANGE`` unless it is from ``FIRST_DAY`` to ``LAST_DAY``."""
    if not FIRST_DAY <= day <= LAST_DAY:
        raise InvalidInput("DAY_RANGE", f"A day must be from {FIRST_DAY} to {LAST_DAY}.", where=where)
    return day


def end_of_days(first: date, count: int, where: str | None = None) -> int:
    """Return the end (seconds UTC) of a validity of ``count`` days that begins with the day ``first``.

    Raises as ``require_day`` does.
    """
    if not 1 <= count <= (LAST_DAY - FIRST_DAY).days:
        raise InvalidInput("DAY_RANGE", f"A day must be from {FIRST_DAY} to {LAST_DAY}.", where=where)
    last = first.toordinal() + count - 1
    return end_of_validity(date.fromordinal(min(last, date.max.toordinal())), where)


def end_of_validity(last_day: date, where: str | None = None) -> int:
    """Return the Shanghai midnight after ``last_day`` in seconds UTC. The validity ends just before this time.

    Raises as ``require_day`` does.
    """
    require_day(last_day, where)
    return int(datetime.combine(last_day + timedelta(days=1), time(), SHANGHAI).timestamp())


def is_shanghai_midnight(seconds: int) -> bool:
    """Return whether the time (seconds UTC) is a midnight in Shanghai."""
    return (seconds + 8 * 3_600) % DAY == 0
