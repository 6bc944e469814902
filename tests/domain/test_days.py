"""Days in Shanghai, at the midnights of Shanghai and of UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.days import LAST_SECOND, SHANGHAI, end_of_validity, shanghai_day, shanghai_time

BOUNDARIES = {
    "second before midnight in Shanghai": ("2026-06-30T15:59:59", date(2026, 6, 30)),
    "midnight in Shanghai": ("2026-06-30T16:00:00", date(2026, 7, 1)),
    "second before midnight UTC": ("2026-06-30T23:59:59", date(2026, 7, 1)),
    "midnight UTC": ("2026-07-01T00:00:00", date(2026, 7, 1)),
    "last second of a year": ("2026-12-31T15:59:59", date(2026, 12, 31)),
    "first second of a year": ("2026-12-31T16:00:00", date(2027, 1, 1)),
    "leap day": ("2028-02-28T16:00:00", date(2028, 2, 29)),
    "epoch": ("1970-01-01T00:00:00", date(1970, 1, 1)),
}


def seconds(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


@pytest.mark.parametrize(("utc", "day"), BOUNDARIES.values(), ids=BOUNDARIES.keys())
def test_shanghai_day(utc: str, day: date) -> None:
    assert shanghai_day(seconds(utc)) == day


@pytest.mark.parametrize(
    ("at", "shown"),
    [
        (seconds("2026-06-30T15:59:59"), "2026-06-30 23:59:59"),
        (seconds("2026-06-30T16:00:00"), "2026-07-01 00:00:00"),
        (LAST_SECOND, "9999-12-31 23:59:59"),
        (2**40 - 1, "9999-12-31 23:59:59"),
    ],
    ids=["before midnight", "midnight", "the last", "what the contracts know at most"],
)
def test_shanghai_time(at: int, shown: str) -> None:
    assert shanghai_time(at) == shown


@pytest.mark.parametrize(
    ("last_day", "utc"),
    [
        (date(2026, 6, 30), "2026-06-30T16:00:00"),
        (date(2026, 12, 31), "2026-12-31T16:00:00"),
        (date(2028, 2, 28), "2028-02-28T16:00:00"),
        (date(2028, 2, 29), "2028-02-29T16:00:00"),
    ],
    ids=["month", "year", "before the leap day", "leap day"],
)
def test_validity_ends_at_the_midnight_after_the_last_day(last_day: date, utc: str) -> None:
    assert end_of_validity(last_day) == seconds(utc)


@given(st.dates(date(1992, 1, 1), date(9000, 1, 1)))
def test_last_second_of_validity_is_of_the_last_day(last_day: date) -> None:
    end = end_of_validity(last_day)
    assert shanghai_day(end - 1) == last_day
    assert shanghai_day(end).toordinal() == last_day.toordinal() + 1


@given(st.integers(seconds("1992-01-01T00:00:00"), seconds("2100-01-01T00:00:00")))
def test_fixed_offset_is_the_zone_of_the_tables(at: int) -> None:
    moment = datetime.fromtimestamp(at, UTC)
    assert shanghai_day(at) == moment.astimezone(ZoneInfo("Asia/Shanghai")).date()
    assert moment.astimezone(SHANGHAI).utcoffset() == moment.astimezone(ZoneInfo("Asia/Shanghai")).utcoffset()
