"""Days that people read: Asia/Shanghai. Times inside are seconds UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Final

# China has had one time zone since 1949 and no daylight saving since 1991.
SHANGHAI: Final = timezone(timedelta(hours=8), "Asia/Shanghai")


def shanghai_day(seconds: int) -> date:
    """The day in Shanghai at that time."""
    return datetime.fromtimestamp(seconds, UTC).astimezone(SHANGHAI).date()


def end_of_validity(last_day: date) -> int:
    """The Shanghai midnight after ``last_day``: valid while t is before it."""
    return int(datetime.combine(last_day + timedelta(days=1), time(), SHANGHAI).timestamp())
