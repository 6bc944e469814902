"""Days in Shanghai, especially around midnight in Shanghai and in UTC, and around summer time."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.days import (
    LAST_SECOND,
    SHANGHAI,
    day_of,
    end_of_days,
    end_of_validity,
    shanghai_day,
    shanghai_time,
)
from ledger.errors import InvalidInput

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
def test_each_second_belongs_to_the_right_day_in_shanghai(utc: str, day: date) -> None:
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
def test_each_second_has_the_right_time_in_shanghai(at: int, shown: str) -> None:
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


@given(st.dates(date(1950, 1, 1), date(9998, 12, 31)))
def test_last_second_of_validity_is_on_the_last_day(last_day: date) -> None:
    end = end_of_validity(last_day)
    assert shanghai_day(end - 1) == last_day
    assert shanghai_day(end).toordinal() == last_day.toordinal() + 1


TABLES = ZoneInfo("Asia/Shanghai")
# Every half hour from one year before the first year with summer time until one year after the last.
AROUND_THE_SUMMERS = range(seconds("1985-01-01T00:00:00"), seconds("1993-01-01T00:00:00"), 1_800)


@given(st.integers(seconds("1950-01-01T00:00:00"), seconds("2100-01-01T00:00:00")))
def test_every_half_hour_in_utc_agrees_with_zoneinfo(at: int) -> None:
    moment = datetime.fromtimestamp(at, UTC)
    assert shanghai_day(at) == moment.astimezone(TABLES).date()
    assert moment.astimezone(SHANGHAI).utcoffset() == moment.astimezone(TABLES).utcoffset()


def test_every_half_hour_around_summer_time_agrees_with_zoneinfo() -> None:
    for at in AROUND_THE_SUMMERS:
        moment = datetime.fromtimestamp(at, UTC)
        ours, theirs = moment.astimezone(SHANGHAI), moment.astimezone(TABLES)
        assert (ours.replace(tzinfo=None), ours.fold) == (theirs.replace(tzinfo=None), theirs.fold)
        assert ours.utcoffset() == theirs.utcoffset()


@pytest.mark.parametrize("fold", [0, 1])
def test_every_half_hour_of_local_time_agrees_with_zoneinfo(fold: int) -> None:
    """The times include the hours that are skipped when summer time begins, and repeated when it ends."""
    for at in AROUND_THE_SUMMERS:
        clock = datetime.fromtimestamp(at, UTC).replace(fold=fold)
        assert clock.replace(tzinfo=SHANGHAI).timestamp() == clock.replace(tzinfo=TABLES).timestamp()


@given(st.dates(date(1950, 1, 1), date(2100, 1, 1)))
def test_midnight_in_shanghai_belongs_to_the_day_that_begins_at_that_midnight(day: date) -> None:
    """Midnights in summer time are tested too. In UTC, they are one hour earlier than other midnights in Shanghai."""
    midnight = datetime.combine(day, datetime.min.time(), TABLES)
    assert shanghai_day(int(midnight.timestamp())) == day


FAR = ["9999-12-31", "0001-01-01", "1899-12-31"]


@pytest.mark.parametrize("text", FAR)
def test_day_outside_the_range_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        day_of(text, "--last-day")
    assert (caught.value.code, caught.value.where) == ("DAY_RANGE", "--last-day")


@pytest.mark.parametrize("text", FAR)
def test_validity_ending_outside_the_range_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="DAY_RANGE"):
        end_of_validity(date.fromisoformat(text))


@pytest.mark.parametrize(
    "text", ["", "2026-1-1", "20260101", "2026-W01-1", "2026-02-30", "2026-01-01T00:00", "二〇二六"]
)
def test_day_in_a_wrong_form_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="DAY_FORM"):
        day_of(text)


@pytest.mark.parametrize("text", ["1900-01-01", "9998-12-31"])
def test_first_and_last_day_are_accepted(text: str) -> None:
    day = day_of(text)
    assert shanghai_day(end_of_validity(day) - 1) == day


@pytest.mark.parametrize("count", [0, -1, 2_958_098, 9_999_999, 10**18])
def test_number_of_days_below_one_or_above_the_highest_is_refused(count: int) -> None:
    with pytest.raises(InvalidInput, match="DAY_RANGE"):
        end_of_days(date(2026, 11, 30), count)


@given(st.integers(1, 36_600))
def test_the_first_day_of_a_period_counts_as_day_one(count: int) -> None:
    first = date(2026, 11, 30)
    assert shanghai_day(end_of_days(first, count) - 1).toordinal() == first.toordinal() + count - 1
