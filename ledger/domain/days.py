"""Days that people read: Asia/Shanghai. Times inside are seconds UTC."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

from ledger.errors import InvalidInput

_HOUR: Final = timedelta(hours=1)
_OFFSET: Final = timedelta(hours=8)
# First and last day of summer time, from and to 2 o'clock (State Council 1986, given up in 1992).
_SUMMERS: Final = {
    1986: ((5, 4), (9, 14)),
    1987: ((4, 12), (9, 13)),
    1988: ((4, 17), (9, 11)),
    1989: ((4, 16), (9, 17)),
    1990: ((4, 15), (9, 16)),
    1991: ((4, 14), (9, 15)),
}


class _Shanghai(tzinfo):
    """China's one time zone since 1949: UTC+8, and an hour more in the summers of 1986 to 1991.

    A clock time that summer time left out or had twice is read as ``zoneinfo`` reads it: by ``fold`` (PEP 495).
    """

    def utcoffset(self, moment: datetime | None) -> timedelta:
        """As ``datetime`` asks."""
        return _OFFSET + self.dst(moment)

    def dst(self, moment: datetime | None) -> timedelta:
        """As ``datetime`` asks."""
        if moment is None or moment.year not in _SUMMERS:
            return timedelta()
        first, end = _summer(moment.year)
        local = moment.replace(tzinfo=None)
        # The hour that is left out is read by the offset before it, or with ``fold`` by that after it; the hour that
        # comes twice is the first one, or with ``fold`` the second.
        begins, ends = (first + _HOUR, end) if moment.fold == 0 else (first, end - _HOUR)
        return _HOUR if begins <= local < ends else timedelta()

    def tzname(self, _moment: datetime | None) -> str:
        """As ``datetime`` asks."""
        return "Asia/Shanghai"

    def fromutc(self, moment: datetime) -> datetime:
        """As ``datetime`` asks."""
        local = moment + _OFFSET
        if local.year not in _SUMMERS:
            return local
        first, end = _summer(local.year)
        bare = local.replace(tzinfo=None)
        if first <= bare < end - _HOUR:
            return local + _HOUR
        return local.replace(fold=int(end - _HOUR <= bare < end))


def _summer(year: int) -> tuple[datetime, datetime]:
    """From when to when by the clock on the wall, as it stood before."""
    first, last = _SUMMERS[year]
    return datetime(year, *first, 2), datetime(year, *last, 2)  # noqa: DTZ001 - clock times


SHANGHAI: Final = _Shanghai()
DAY: Final = 86_400
# Gives the time now, in seconds UTC.
Clock = Callable[[], int]
# The last second of the year 9999; the contracts know later ones.
LAST_SECOND: Final = 253_402_271_999
# What a validity, a deadline or a report may name: a day before or after it must exist, with its midnight.
FIRST_DAY: Final = date(1900, 1, 1)
LAST_DAY: Final = date(9998, 12, 31)


def shanghai_day(seconds: int) -> date:
    """The day in Shanghai at that time."""
    return datetime.fromtimestamp(seconds, UTC).astimezone(SHANGHAI).date()


def shanghai_time(seconds: int) -> str:
    """The time in Shanghai, to the second; what lies after the year 9999 is told as its last second."""
    shown = datetime.fromtimestamp(min(seconds, LAST_SECOND), UTC).astimezone(SHANGHAI)
    return shown.strftime("%Y-%m-%d %H:%M:%S")


def day_of(text: str, where: str | None = None) -> date:
    """The day that is written ``YYYY-MM-DD``, and in no other way.

    Raises ``InvalidInput`` ``DAY_FORM``, ``DAY_RANGE``.
    """
    day: date | None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:
        raise InvalidInput("DAY_FORM", "A day reads YYYY-MM-DD.", where=where)
    return require_day(day, where)


def require_day(day: date, where: str | None = None) -> date:
    """The day; raises ``InvalidInput`` ``DAY_RANGE`` unless it is from ``FIRST_DAY`` to ``LAST_DAY``."""
    if not FIRST_DAY <= day <= LAST_DAY:
        raise InvalidInput("DAY_RANGE", f"A day lies from {FIRST_DAY} to {LAST_DAY}.", where=where)
    return day


def end_of_days(first: date, count: int, where: str | None = None) -> int:
    """The end of a validity of ``count`` days, ``first`` the first of them; raises as ``require_day``."""
    if not 1 <= count <= (LAST_DAY - FIRST_DAY).days:
        raise InvalidInput("DAY_RANGE", f"A day lies from {FIRST_DAY} to {LAST_DAY}.", where=where)
    last = first.toordinal() + count - 1
    return end_of_validity(date.fromordinal(min(last, date.max.toordinal())), where)


def end_of_validity(last_day: date, where: str | None = None) -> int:
    """The Shanghai midnight after ``last_day``: valid while t is before it. Raises as ``require_day``."""
    require_day(last_day, where)
    return int(datetime.combine(last_day + timedelta(days=1), time(), SHANGHAI).timestamp())


def is_shanghai_midnight(seconds: int) -> bool:
    """Whether a day begins in Shanghai at that time."""
    return (seconds + 8 * 3_600) % DAY == 0
