"""Days that people read: Asia/Shanghai. Times inside are seconds UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Final

# China has had one time zone since 1949 and no daylight saving since 1991.
SHANGHAI: Final = timezone(timedelta(hours=8), "Asia/Shanghai")
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
