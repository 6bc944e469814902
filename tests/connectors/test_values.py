"""The exact texts into which values from files and databases are converted."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.connectors.values import BadValue, as_span, as_text

TEXTS: list[tuple[Any, str]] = [
    (None, ""),
    ("", ""),
    (" 1 ", " 1 "),
    (True, "true"),
    (False, "false"),
    (0, "0"),
    (-(2**64), "-18446744073709551616"),
    (0.1, "0.1"),
    (5.0, "5.0"),
    (-0.0, "0.0"),
    (1e16, "10000000000000000"),
    (1.5e-7, "0.00000015"),
    (0.1 + 0.2, "0.30000000000000004"),
    (Decimal("12.50"), "12.50"),
    (Decimal("1E+3"), "1000"),
    (Decimal("-0.00"), "0.00"),
    (Decimal("1E-9"), "0.000000001"),
    (date(2026, 3, 31), "2026-03-31"),
    (datetime.fromisoformat("2026-03-31T12:30"), "2026-03-31T12:30:00"),
    (datetime(2026, 3, 31, 20, tzinfo=UTC), "2026-04-01T04:00:00+08:00"),
    # China had summer time from 1986 to 1991. A midnight in that summer time must still give the right day.
    (datetime(1988, 6, 30, 15, tzinfo=UTC), "1988-07-01T00:00:00+09:00"),
    (datetime(2026, 3, 31, 20, 0, 0, 5, timezone(timedelta(hours=8))), "2026-03-31T20:00:00.000005+08:00"),
    (time(8, 5), "08:05:00"),
    (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
]


@pytest.mark.parametrize(("value", "text"), TEXTS, ids=[repr(value) for value, _ in TEXTS])
def test_a_value_is_converted_to_the_expected_text(value: Any, text: str) -> None:
    assert as_text(value) == text


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        Decimal("NaN"),
        Decimal("sNaN"),
        Decimal("-Infinity"),
        Decimal("1E+1000000"),
        Decimal("1E-1000000"),
        b"1",
        [1],
        {"a": 1},
        1j,
        timedelta(1),
        pytest.param(object(), id="an object"),
        "x" * 10_001,
        datetime.max.replace(tzinfo=UTC),
        datetime.min.replace(tzinfo=UTC),
    ],
    ids=repr,
)
def test_a_value_without_exact_text_is_refused_and_the_error_does_not_repeat_the_value(value: Any) -> None:
    with pytest.raises(BadValue) as caught:
        as_text(value)
    assert not caught.value.args


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_the_text_of_a_float_is_exact_and_has_no_exponent(value: float) -> None:
    text = as_text(value)
    assert float(text) == value
    assert set(text) <= set("-.0123456789")


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30))
def test_the_text_of_a_decimal_is_exact(value: Decimal) -> None:
    assert Decimal(as_text(value)) == value


@given(st.dates())
def test_a_day_is_read_as_a_period_of_one_day(day: date) -> None:
    assert as_span(day) == as_span(day.isoformat()) == (day, day)


@given(st.dates())
def test_a_month_is_read_as_a_period_from_its_first_to_its_last_day(day: date) -> None:
    first, last = as_span(day.isoformat()[:7])
    assert (first.day, first.month, first.year) == (1, day.month, day.year)
    assert first <= day <= last
    assert last == date.max or (last + timedelta(days=1)).day == 1
    assert as_span(day.isoformat()[:7].replace("-", "")) == (first, last)
