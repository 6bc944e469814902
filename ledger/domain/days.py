"""Days that people read: Asia/Shanghai. Times inside are seconds UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

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
# The last second of the year 9999; the contracts know later ones.
LAST_SECOND: Final = 253_402_271_999


def shanghai_day(seconds: int) -> date:
    """The day in Shanghai at that time."""
    return datetime.fromtimestamp(seconds, UTC).astimezone(SHANGHAI).date()


def shanghai_time(seconds: int) -> str:
    """The time in Shanghai, to the second; what lies after the year 9999 is told as its last second."""
    shown = datetime.fromtimestamp(min(seconds, LAST_SECOND), UTC).astimezone(SHANGHAI)
    return shown.strftime("%Y-%m-%d %H:%M:%S")


def end_of_validity(last_day: date) -> int:
    """The Shanghai midnight after ``last_day``: valid while t is before it."""
    return int(datetime.combine(last_day + timedelta(days=1), time(), SHANGHAI).timestamp())


def is_shanghai_midnight(seconds: int) -> bool:
    """Whether a day begins in Shanghai at that time."""
    return (seconds + 8 * 3_600) % 86_400 == 0
