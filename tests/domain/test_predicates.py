"""Claims from rows: tables for every rule, and what a row or a rule must not be."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.predicates import check_rule, compute
from ledger.errors import InvalidInput

TREND = {"op": "trend", "column": "kwh", "order": "month", "flat_percent": 5}
BAND = {"op": "band", "column": "kwh", "order": "month", "edges": ["1000", "10000", "50000.5"]}
AT_LEAST = {"op": "at_least", "column": "kwh", "order": "month", "threshold": "95"}
COUNT = {"op": "count_distinct", "column": "month"}


def series(*values: str) -> list[dict[str, str]]:
    """Rows of the months 1, 2, 3 …"""
    return [{"month": str(month), "kwh": value} for month, value in enumerate(values, start=1)]


def refusal(rule: dict[str, Any], rows: list[dict[str, str]]) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        compute(rule, rows, {})
    return caught.value


@pytest.mark.parametrize("of", ["name", "uscc"])
def test_attribute(of: str) -> None:
    attributes = {"name": "湛江某公司", "uscc": "91440802MA9X00011Y"}
    assert compute({"op": "attribute", "of": of}, [], attributes) == attributes[of]


COUNTS = {
    "no rows": ([], 0),
    "one": (["202601"], 1),
    "all differ": (["202601", "202602", "202603"], 3),
    "repeated": (["202601", "202602", "202601", "202601"], 2),
    "told apart as text": (["1", "01", "1.0"], 3),
}


@pytest.mark.parametrize(("months", "count"), COUNTS.values(), ids=COUNTS.keys())
def test_count_distinct(months: list[str], count: int) -> None:
    assert compute(COUNT, [{"month": month} for month in months], {}) == count


TRENDS = {
    "rising": (("100", "106"), "rising"),
    "falling": (("100", "94"), "falling"),
    "unchanged": (("100", "100"), "stable"),
    "upper edge is flat": (("100", "105"), "stable"),
    "above the upper edge": (("100", "105.0000001"), "rising"),
    "lower edge is flat": (("100", "95"), "stable"),
    "below the lower edge": (("100", "94.9999999"), "falling"),
    "one row": (("100",), "stable"),
    "only first and last count": (("100", "900", "1", "100"), "stable"),
    "from zero up": (("0", "0.01"), "rising"),
    "from zero down": (("0", "-0.01"), "falling"),
    "zero to zero": (("0", "-0"), "stable"),
    "negative, upper edge": (("-100", "-95"), "stable"),
    "negative, rising": (("-100", "-94"), "rising"),
    "negative, falling": (("-100", "-106"), "falling"),
    "decimal, not binary: 0.3 of 0.2 + 0.1": (("0.3", "0.315"), "stable"),
}


@pytest.mark.parametrize(("values", "trend"), TRENDS.values(), ids=TRENDS.keys())
def test_trend(values: tuple[str, ...], trend: str) -> None:
    assert compute(TREND, series(*values), {}) == trend


@pytest.mark.parametrize(("last", "trend"), [("100", "stable"), ("100.1", "rising"), ("99.9", "falling")])
def test_trend_without_tolerance(last: str, trend: str) -> None:
    assert compute(TREND | {"flat_percent": 0}, series("100", last), {}) == trend


BANDS = {
    "far below": ("-1", "<1000"),
    "just below the first edge": ("999.999", "<1000"),
    "first edge": ("1000", "1000–10000"),
    "first edge, written otherwise": ("1000.000", "1000–10000"),
    "just below the second edge": ("9999.999", "1000–10000"),
    "second edge": ("10000", "10000–50000.5"),
    "just below the last edge": ("50000.49", "10000–50000.5"),
    "last edge": ("50000.5", "≥50000.5"),
    "far above": ("1000000000", "≥50000.5"),
}


@pytest.mark.parametrize(("value", "band"), BANDS.values(), ids=BANDS.keys())
def test_band(value: str, band: str) -> None:
    assert compute(BAND, series("7", value), {}) == band


@pytest.mark.parametrize(("value", "band"), [("9.9", "<10"), ("10", "≥10")])
def test_band_of_one_edge(value: str, band: str) -> None:
    assert compute(BAND | {"edges": ["10"]}, series(value), {}) == band


@pytest.mark.parametrize(
    ("value", "claim"), [("94.999", False), ("95", True), ("95.00", True), ("95.001", True), ("-95", False)]
)
def test_at_least(value: str, claim: bool) -> None:
    assert compute(AT_LEAST, series("0", value), {}) is claim


@pytest.mark.parametrize(
    ("rule", "claim"), [(TREND, "rising"), (BAND, "10000–50000.5"), (AT_LEAST, True)], ids=["trend", "band", "at least"]
)
def test_months_are_ordered_as_numbers(rule: dict[str, Any], claim: Any) -> None:
    """10 comes after 9, wherever the rows stand."""
    rows = [{"month": "10", "kwh": "20000"}, {"month": "1", "kwh": "50"}, {"month": "9", "kwh": "10"}]
    assert compute(rule, rows, {}) == claim


@given(
    rows=st.lists(
        st.fixed_dictionaries(
            {
                "month": st.integers(1, 12).map(str),
                "kwh": st.decimals(-1000, 1000, places=2, allow_nan=False, allow_infinity=False).map(str),
            }
        ),
        min_size=1,
        max_size=12,
    ),
    rule=st.sampled_from([TREND, BAND, AT_LEAST, COUNT]),
    cut=st.integers(0, 12),
)
def test_order_of_rows_does_not_matter(rows: list[dict[str, str]], rule: dict[str, Any], cut: int) -> None:
    claim = compute(rule, rows, {})
    assert compute(rule, rows[::-1], {}) == claim
    assert compute(rule, rows[cut:] + rows[:cut], {}) == claim


@given(st.decimals(-100_000, 100_000, places=6))
def test_every_value_is_in_exactly_the_band_that_it_names(value: Any) -> None:
    edges = [1000, 10_000, 50_000.5]
    named = ["<1000", "1000–10000", "10000–50000.5", "≥50000.5"][sum(value >= edge for edge in edges)]
    assert compute(BAND, series(f"{value:f}"), {}) == named


BAD_VALUES = {
    "NaN": "NaN",
    "signalling NaN": "sNaN",
    "Infinity": "Infinity",
    "minus Infinity": "-inf",
    "empty": "",
    "blank": "  ",
    "word": "n/a",
    "thousands": "1,000",
    "hexadecimal": "0x10",
    "two numbers": "1 2",
    "too large for arithmetic": "9e999999",
    "too small for arithmetic": "1e-999999",
    "exponent": "1e3",
    "full-width digits": "１２",
    "underscore": "1_000",
    "more digits than anyone counts": "1" * 31,
}


@pytest.mark.parametrize("column", ["kwh", "month"])
@pytest.mark.parametrize("value", BAD_VALUES.values(), ids=BAD_VALUES.keys())
@pytest.mark.parametrize("rule", [TREND, BAND, AT_LEAST], ids=lambda rule: rule["op"])
def test_no_number(rule: dict[str, Any], value: str, column: str) -> None:
    rows = series("1", "2", "3")
    rows[1][column] = value
    error = refusal(rule, rows)
    assert (error.code, error.where) == ("ROW_VALUE_INVALID", "row 2")
    assert column in error.message
    assert not value.strip() or value not in str(error)


def test_longest_numbers_still_compute() -> None:
    assert compute(TREND, series("9" * 30, "-" + "9" * 30), {}) == "falling"
    assert compute(BAND, series("0." + "0" * 29 + "1"), {}) == "<1000"


@pytest.mark.parametrize("rule", [TREND, BAND, AT_LEAST], ids=lambda rule: rule["op"])
def test_no_rows(rule: dict[str, Any]) -> None:
    assert refusal(rule, []).code == "ROWS_MISSING"


@pytest.mark.parametrize(
    ("rule", "column"),
    [(TREND, "kwh"), (TREND, "month"), (BAND, "kwh"), (AT_LEAST, "month"), (COUNT, "month")],
    ids=["trend value", "trend order", "band value", "at least order", "count"],
)
def test_missing_column(rule: dict[str, Any], column: str) -> None:
    rows = series("1", "2", "3")
    del rows[2][column]
    error = refusal(rule, rows)
    assert (error.code, error.where) == ("ROW_COLUMN_MISSING", "row 3")
    assert column in error.message


# --- rules


@pytest.mark.parametrize(
    "rule",
    [
        {"op": "attribute", "of": "name"},
        {"op": "attribute", "of": "uscc"},
        COUNT,
        TREND,
        TREND | {"flat_percent": 0},
        TREND | {"flat_percent": 100},
        TREND | {"column": "c" * 64},
        BAND,
        BAND | {"edges": ["1"]},
        BAND | {"edges": [str(edge) for edge in range(20)]},
        BAND | {"edges": ["-1.5", "0", "1e3"]},
        AT_LEAST,
        AT_LEAST | {"threshold": "-0.5"},
    ],
)
def test_rule_that_can_be_computed(rule: dict[str, Any]) -> None:
    check_rule(rule, "rule")


BAD_RULES = {
    "no mapping": ("band", "rule"),
    "nothing": (None, "rule"),
    "list": ([BAND], "rule"),
    "no op": ({"column": "month"}, "rule"),
    "unknown op": ({"op": "exec", "of": "name"}, "rule"),
    "op of null": ({"op": None}, "rule"),
    "op of a list": ({"op": ["band"]}, "rule"),
    "op of a mapping": ({"op": {"band": 1}}, "rule"),
    "member missing": ({"op": "count_distinct"}, "rule"),
    "member too many": (COUNT | {"order": "month"}, "rule"),
    "unknown attribute": ({"op": "attribute", "of": "phone"}, "rule.of"),
    "attribute of a list": ({"op": "attribute", "of": ["name"]}, "rule.of"),
    "column empty": (COUNT | {"column": ""}, "rule.column"),
    "column too long": (COUNT | {"column": "c" * 65}, "rule.column"),
    "column no text": (COUNT | {"column": 7}, "rule.column"),
    "order no text": (TREND | {"order": None}, "rule.order"),
    "percent below 0": (TREND | {"flat_percent": -1}, "rule.flat_percent"),
    "percent above 100": (TREND | {"flat_percent": 101}, "rule.flat_percent"),
    "percent a float": (TREND | {"flat_percent": 5.0}, "rule.flat_percent"),
    "percent a boolean": (TREND | {"flat_percent": True}, "rule.flat_percent"),
    "percent a text": (TREND | {"flat_percent": "5"}, "rule.flat_percent"),
    "edges no list": (BAND | {"edges": "1000"}, "rule.edges"),
    "no edges": (BAND | {"edges": []}, "rule.edges"),
    "21 edges": (BAND | {"edges": [str(edge) for edge in range(21)]}, "rule.edges"),
    "edges fall": (BAND | {"edges": ["2", "1"]}, "rule.edges"),
    "edges as texts": (BAND | {"edges": ["10", "9"]}, "rule.edges"),
    "edge twice": (BAND | {"edges": ["1", "1.0"]}, "rule.edges"),
    "edge a number": (BAND | {"edges": [1000]}, "rule.edges"),
    "edge a word": (BAND | {"edges": ["low"]}, "rule.edges"),
    "edge infinite": (BAND | {"edges": ["1", "Infinity"]}, "rule.edges"),
    "edge NaN": (BAND | {"edges": ["NaN"]}, "rule.edges"),
    "threshold a number": (AT_LEAST | {"threshold": 95}, "rule.threshold"),
    "threshold a word": (AT_LEAST | {"threshold": "much"}, "rule.threshold"),
    "threshold NaN": (AT_LEAST | {"threshold": "NaN"}, "rule.threshold"),
}


@pytest.mark.parametrize(("rule", "where"), BAD_RULES.values(), ids=BAD_RULES.keys())
def test_rule_that_cannot_be_computed(rule: Any, where: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_rule(rule, "rule")
    assert (caught.value.code, caught.value.where) == ("RULE_INVALID", where)
