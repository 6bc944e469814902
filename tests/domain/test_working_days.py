"""Working days: announced holidays and make-up days, days without a notice, and deadlines to the second."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import chinese_calendar
import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.days import shanghai_day
from ledger.domain.working_days import (
    MAX_WORKING_DAYS,
    add_working_days,
    calendar_known,
    end_of_working_days,
    is_working_day,
)
from ledger.errors import InvalidInput

DAY = timedelta(days=1)
KNOWN = st.dates(date(2004, 1, 1), date(2026, 12, 24))
DAYS = st.dates(date(2000, 1, 1), date(2060, 1, 1))


def seconds(text: str) -> int:
    """Return a Shanghai time as seconds UTC."""
    return int(datetime.fromisoformat(f"{text}+08:00").timestamp())


def days(first: date, last: date) -> list[date]:
    return [first + DAY * each for each in range((last - first).days + 1)]


def working_days_between(start: date, end: date) -> int:
    """Count the working days after ``start`` up to and including ``end``."""
    return sum(map(is_working_day, days(start + DAY, end)))


# For each holiday, according to the official notices: its first and last day, and the weekend days that are working
# days instead.
HOLIDAYS = {
    "National Day 2025": (date(2025, 10, 1), date(2025, 10, 8), [date(2025, 9, 28), date(2025, 10, 11)]),
    "New Year 2026": (date(2026, 1, 1), date(2026, 1, 3), [date(2026, 1, 4)]),
    "Spring Festival 2026": (date(2026, 2, 15), date(2026, 2, 23), [date(2026, 2, 14), date(2026, 2, 28)]),
    "Tomb Sweeping 2026": (date(2026, 4, 4), date(2026, 4, 6), []),
    "Labour Day 2026": (date(2026, 5, 1), date(2026, 5, 5), [date(2026, 5, 9)]),
    "Dragon Boat 2026": (date(2026, 6, 19), date(2026, 6, 21), []),
    "Mid-Autumn 2026": (date(2026, 9, 25), date(2026, 9, 27), []),
    "National Day 2026": (date(2026, 10, 1), date(2026, 10, 7), [date(2026, 9, 20), date(2026, 10, 10)]),
}


@pytest.mark.parametrize(("first", "last", "worked"), HOLIDAYS.values(), ids=HOLIDAYS.keys())
def test_holidays_are_days_off_and_make_up_days_are_working_days(first: date, last: date, worked: list[date]) -> None:
    assert not any(is_working_day(day) for day in days(first, last))
    for day in worked:
        assert day.weekday() >= 5
        assert is_working_day(day)


def test_announced_holidays_agree_with_a_second_calendar() -> None:
    """One day differs: the notice for 2006 made a Saturday in 2005 a working day. The library `chinesecalendar` omits
    this day, and so do we.
    """
    other = holidays.country_holidays("CN", years=range(2004, 2027))
    differing = [
        day for day in days(date(2004, 1, 1), date(2026, 12, 24)) if other.is_working_day(day) != is_working_day(day)
    ]
    assert differing == [date(2005, 12, 31)]


def test_ordinary_week_has_five_working_days() -> None:
    assert [is_working_day(day) for day in days(date(2026, 7, 6), date(2026, 7, 12))] == [True] * 5 + [False] * 2


def test_the_number_of_working_days_in_2025_is_right() -> None:
    """365 days less 104 weekend days and 13 statutory holidays. Further free days do not count, because make-up days
    replace them.
    """
    assert working_days_between(date(2024, 12, 31), date(2025, 12, 31)) == 365 - 104 - 13


@given(KNOWN)
def test_announced_holidays_agree_with_the_chinesecalendar_library(day: date) -> None:
    assert calendar_known(day)
    assert is_working_day(day) == chinese_calendar.is_workday(day)


@given(st.dates(date(2027, 1, 1), date(2100, 1, 1)) | st.dates(date(1990, 1, 1), date(2003, 12, 31)))
def test_working_days_of_a_year_without_a_notice_are_monday_to_friday(day: date) -> None:
    assert not calendar_known(day)
    assert is_working_day(day) == (day.weekday() < 5)


KNOWLEDGE = {
    "before the first notice": (date(2003, 12, 31), False),
    "first day": (date(2004, 1, 1), True),
    "between two years": (date(2025, 12, 31), True),
    "last day": (date(2026, 12, 24), True),
    "days that the next notice may move": (date(2026, 12, 25), False),
    "next year": (date(2027, 1, 1), False),
}


@pytest.mark.parametrize(("day", "known"), KNOWLEDGE.values(), ids=KNOWLEDGE.keys())
def test_the_calendar_is_known_for_the_days_that_the_holiday_notices_cover(day: date, known: bool) -> None:
    assert calendar_known(day) is known


def test_a_holiday_notice_changes_no_day_of_the_year_before_except_in_its_last_week() -> None:
    """Each notice is for one year, but may also change days of the year before. So far no notice changed a day before
    25 December. So until the notice for next year is published, this year's days from 25 December on are unknown.
    """
    moved = [day for day in {**chinese_calendar.holidays, **chinese_calendar.workdays} if day.month == 12]
    assert date(2018, 12, 29) in moved
    assert min(day.day for day in moved) > 24


# For each case: a start, a number of working days after it, and the last of these working days.
CLOCKS = {
    "no day on a working day": (date(2026, 7, 6), 0, date(2026, 7, 6)),
    "no day on a Sunday": (date(2026, 7, 5), 0, date(2026, 7, 5)),
    "tomorrow": (date(2026, 7, 6), 1, date(2026, 7, 7)),
    "over a weekend": (date(2026, 7, 10), 1, date(2026, 7, 13)),
    "from a weekend": (date(2026, 7, 11), 1, date(2026, 7, 13)),
    "make-up Saturday before Spring Festival": (date(2026, 2, 13), 1, date(2026, 2, 14)),
    "over Spring Festival": (date(2026, 2, 14), 1, date(2026, 2, 24)),
    "make-up Saturday after Spring Festival": (date(2026, 2, 27), 1, date(2026, 2, 28)),
    "10 over Spring Festival": (date(2026, 2, 10), 10, date(2026, 3, 2)),
    "make-up Sunday before National Day 2025": (date(2025, 9, 26), 1, date(2025, 9, 28)),
    "over National Day 2025": (date(2025, 9, 30), 3, date(2025, 10, 11)),
    "make-up Sunday before National Day 2026": (date(2026, 9, 18), 1, date(2026, 9, 20)),
    "over National Day 2026": (date(2026, 9, 30), 3, date(2026, 10, 10)),
    "20 from 1 September 2026": (date(2026, 9, 1), 20, date(2026, 9, 29)),
    "over the year": (date(2025, 12, 31), 2, date(2026, 1, 5)),
    "into a year without a notice": (date(2026, 12, 31), 1, date(2027, 1, 1)),
}


@pytest.mark.parametrize(("start", "count", "end"), CLOCKS.values(), ids=CLOCKS.keys())
def test_adding_working_days_gives_the_expected_day(start: date, count: int, end: date) -> None:
    assert add_working_days(start, count) == end
    assert working_days_between(start, end) == count


@pytest.mark.parametrize("count", [-1, MAX_WORKING_DAYS + 1])
def test_a_negative_or_too_large_number_of_working_days_is_refused(count: int) -> None:
    with pytest.raises(InvalidInput) as caught:
        add_working_days(date(2026, 1, 1), count)
    assert caught.value.code == "WORKING_DAYS_INVALID"


def test_largest_allowed_number_of_working_days_can_be_added() -> None:
    assert working_days_between(date(2020, 1, 1), add_working_days(date(2020, 1, 1), MAX_WORKING_DAYS)) == 1_000


@given(DAYS, st.integers(1, 60))
def test_adding_n_working_days_ends_on_the_nth_working_day(day: date, count: int) -> None:
    end = add_working_days(day, count)
    assert is_working_day(end)
    assert working_days_between(day, end) == count
    assert working_days_between(day, end - DAY) == count - 1


@given(DAYS, st.integers(0, 40), st.integers(0, 40))
def test_adding_two_numbers_of_working_days_equals_adding_the_sum_of_both(day: date, first: int, second: int) -> None:
    assert add_working_days(add_working_days(day, first), second) == add_working_days(day, first + second)


@given(DAYS, st.integers(0, 40), st.integers(0, 400), st.integers(0, 40))
def test_a_later_start_or_a_longer_period_never_gives_an_earlier_end(
    day: date, count: int, later: int, longer: int
) -> None:
    assert add_working_days(day, count) <= add_working_days(day + DAY * later, count + longer)


# --- deadlines to the second

BOUNDARIES = {
    "last second of Friday": ("2026-07-10T23:59:59", 1, "2026-07-14T00:00:00"),
    "first second of Saturday": ("2026-07-11T00:00:00", 1, "2026-07-14T00:00:00"),
    "last second before a make-up day": ("2026-02-13T23:59:59", 1, "2026-02-15T00:00:00"),
    "first second of a make-up day": ("2026-02-14T00:00:00", 1, "2026-02-25T00:00:00"),
    "still last year in UTC": ("2026-01-01T00:00:00", 1, "2026-01-05T00:00:00"),
    "last second of the year": ("2025-12-31T23:59:59", 2, "2026-01-06T00:00:00"),
    "no day": ("2026-07-10T12:00:00", 0, "2026-07-11T00:00:00"),
}


@pytest.mark.parametrize(("at", "count", "end"), BOUNDARIES.values(), ids=BOUNDARIES.keys())
def test_a_period_of_working_days_ends_at_the_expected_second(at: str, count: int, end: str) -> None:
    assert end_of_working_days(seconds(at), count) == seconds(end)


@given(st.integers(seconds("2000-01-01T00:00:00"), seconds("2060-01-01T00:00:00")), st.integers(0, 40))
def test_a_period_of_working_days_ends_at_the_midnight_after_its_last_day(at: int, count: int) -> None:
    end = end_of_working_days(at, count)
    assert end > at
    assert shanghai_day(end - 1) == add_working_days(shanghai_day(at), count)
    assert datetime.fromtimestamp(end, UTC).strftime("%H:%M:%S") == "16:00:00"


@pytest.mark.parametrize(
    ("at", "known"), [("2026-12-10T09:00:00", True), ("2026-12-11T09:00:00", False)], ids=["in time", "provisional"]
)
def test_a_deadline_in_a_year_without_a_holiday_notice_is_provisional(at: str, known: bool) -> None:
    assert calendar_known(shanghai_day(end_of_working_days(seconds(at), 10) - 1)) is known
