"""How rows are read: calendar periods, numbers and categories, and the values that are refused."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.rules import supplied_rows as cells
from ledger.domain.rules.supplied_rows import Row, dated, is_number, window
from ledger.errors import InvalidInput


def place_of(_row: Row, place: int) -> int:
    return place


def periods(*texts: str) -> list[dict[str, str]]:
    return [{"when": text} for text in texts]


def refusal(texts: list[str], unit: str | None = None) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        dated(periods(*texts), "when", place_of, unit)
    return caught.value


def test_rows_are_sorted_by_period_and_keep_their_row_numbers() -> None:
    found = dated(periods("202601", "202511", "202512"), "when", place_of)
    assert [(item.period, item.place, item.value) for item in found] == [
        ("202511", 2, 2),
        ("202512", 3, 3),
        ("202601", 1, 1),
    ]


NEIGHBOURS = {
    "years": ("1999", "2000"),
    "months": ("202601", "202602"),
    "months over the new year": ("202512", "202601"),
    "days": ("20260101", "20260102"),
    "days over a leap day": ("20240229", "20240301"),
    "days over the new year": ("20251231", "20260101"),
}


@pytest.mark.parametrize(("first", "second"), NEIGHBOURS.values(), ids=NEIGHBOURS.keys())
def test_the_ordinals_of_neighbouring_periods_differ_by_one(first: str, second: str) -> None:
    low, high = dated(periods(first, second), "when", place_of)
    assert high.ordinal - low.ordinal == 1


@given(st.dates(date(1900, 1, 1), date(2199, 12, 31)), st.dates(date(1900, 1, 1), date(2199, 12, 31)))
def test_the_distance_between_two_periods_equals_the_distance_in_the_calendar(one: date, other: date) -> None:
    texts = {"year": "%Y", "month": "%Y%m", "day": "%Y%m%d"}
    expected = {
        "year": other.year - one.year,
        "month": (other.year - one.year) * 12 + other.month - one.month,
        "day": (other - one).days,
    }
    for unit, form in texts.items():
        low, high = ({"when": day.strftime(form)} for day in (one, other))
        assert cells.period(high, 1, "when", unit) - cells.period(low, 1, "when", unit) == expected[unit]


NO_PERIODS = {
    "no month 13": "202613",
    "no month 0": "202600",
    "no 30 February": "20260230",
    "no leap day": "20250229",
    "ISO month": "2026-01",
    "ISO day": "2026-01-01",
    "too early": "189912",
    "too late": "220001",
    "year 0": "0000",
    "counter": "1",
    "five digits": "20261",
    "seven digits": "2026011",
    "fraction": "2026.0",
    "sign": "-2026",
    "space": " 202601",
    "line feed": "202601\n",
    "full-width digits": "２０２６０１",
    "Arabic digits": "٢٠٢٦٠١",
    "underscore": "2026_1",
    "word": "latest",
}


@pytest.mark.parametrize("text", NO_PERIODS.values(), ids=NO_PERIODS.keys())
def test_invalid_period_is_refused(text: str) -> None:
    error = refusal([text])
    assert (error.code, error.where) == ("ROW_VALUE_INVALID", "row 1")
    assert "when" in error.message
    assert text.strip() not in str(error.message)


@pytest.mark.parametrize(
    ("texts", "unit", "where"),
    [
        (["202601", "2026"], None, "row 2"),
        (["2026", "202601"], None, "row 2"),
        (["202601", "20260102", "202603"], None, "row 2"),
        (["2026"], "month", "row 1"),
        (["202601"], "year", "row 1"),
        (["202601"], "day", "row 1"),
        (["20260101", "202602"], "day", "row 2"),
    ],
)
def test_rows_with_two_units_are_refused(texts: list[str], unit: str | None, where: str) -> None:
    error = refusal(texts, unit)
    assert (error.code, error.where) == ("ROW_VALUE_INVALID", where)


@pytest.mark.parametrize("unit", [None, "month"])
def test_repeated_period_is_refused(unit: str | None) -> None:
    """If a month had two values, the latest value would depend on the order of the rows."""
    error = refusal(["202601", "202602", "202601"], unit)
    assert (error.code, error.where) == ("ROW_ORDER_TWICE", "row 3")
    assert "row 1" in error.message


def test_rule_without_rows_is_refused() -> None:
    assert refusal([]).code == "ROWS_MISSING"


def test_blank_or_missing_cell_is_refused() -> None:
    for texts, code in ((["202601", " "], "ROW_VALUE_INVALID"), ([""], "ROW_VALUE_INVALID")):
        assert refusal(texts).code == code
    with pytest.raises(InvalidInput, match="ROW_COLUMN_MISSING"):
        dated([{"when": "202601"}, {"then": "202602"}], "when", place_of)


WINDOWS = {
    "all": (["202601", "202602", "202603"], 3, 3),
    "some": (["202601", "202602", "202603"], 2, 2),
    "the newest": (["202601", "202602", "202603"], 1, 1),
    "more than there are": (["202601", "202602"], 12, 2),
    "a gap is not filled by older rows": (["202501", "202601", "202603"], 3, 2),
    "twelve months exclude the month a year before": (["202501", "202601"], 12, 1),
    "thirteen months include it": (["202501", "202601"], 13, 2),
}


@pytest.mark.parametrize(("texts", "last", "size"), WINDOWS.values(), ids=WINDOWS.keys())
def test_a_window_takes_the_rows_of_the_last_periods(texts: list[str], last: int, size: int) -> None:
    found = window(dated(periods(*texts), "when", place_of), last)
    assert [item.period for item in found] == sorted(texts)[-size:]


@pytest.mark.parametrize(
    "text", ["0", "-0", "007", "12.50", "-1.5", "9" * 30, f"0.{'0' * 29}1", f"{'9' * 30}.{'9' * 30}"]
)
def test_a_number_is_read_exactly(text: str) -> None:
    assert is_number(text)
    assert cells.number({"kwh": text}, 1, "kwh") == Fraction(text)
    assert cells.number_text({"kwh": text}, 1, "kwh") == text


@given(st.text(max_size=40))
def test_any_text_is_read_as_an_exact_number_or_refused_with_the_number_of_the_row(text: str) -> None:
    try:
        assert cells.number({"kwh": text}, 7, "kwh") == Fraction(text)
    except InvalidInput as error:
        assert (error.code, error.where) == ("ROW_VALUE_INVALID", "row 7")


SCORES = [("0", 0), ("100", 100), ("85.0", 85), ("-0", 0), ("101", None), ("-1", None), ("85.5", None), ("best", None)]


@pytest.mark.parametrize(("text", "score"), SCORES)
def test_a_score_is_a_whole_number_from_0_to_100(text: str, score: int | None) -> None:
    row = {"score": text}
    if score is not None:
        assert cells.score(row, 1, "score", 100) == score
        return
    with pytest.raises(InvalidInput, match="ROW_VALUE_INVALID"):
        cells.score(row, 1, "score", 100)


@pytest.mark.parametrize("text", ["Valid", "valid ", "none", "valid\n"])
def test_category_must_equal_one_of_the_choices(text: str) -> None:
    choices = ["valid", "expired"]
    assert cells.category({"licence": "valid"}, 1, "licence", choices) == "valid"
    with pytest.raises(InvalidInput) as caught:
        cells.category({"licence": text}, 3, "licence", choices)
    assert (caught.value.code, caught.value.where) == ("ROW_VALUE_INVALID", "row 3")
    assert caught.value.hint == "Use one of: valid, expired."


@pytest.mark.parametrize(
    "text", ["x" * 201, "two\nlines", " ahead", "behind ", "bell\x07", "\ud800", "zero\u200bwidth"]
)
def test_a_line_of_text_is_read_exactly_or_refused(text: str) -> None:
    assert cells.line({"buyer": "采购 单位"}, 1, "buyer") == "采购 单位"
    assert cells.line({"buyer": "购" * 200}, 1, "buyer") == "购" * 200
    with pytest.raises(InvalidInput, match="ROW_VALUE_INVALID"):
        cells.line({"buyer": text}, 1, "buyer")


HEX = "0123456789abcdef" * 4


@pytest.mark.parametrize("text", [HEX, f"md5:{HEX[:32]}", f"sha-256:{HEX[1:]}", f"sha-256:{HEX.upper()}", f"SM3:{HEX}"])
def test_a_digest_is_read_exactly_or_refused(text: str) -> None:
    for algorithm in ("sha-256", "sm3"):
        assert cells.digest_text({"digest": f"{algorithm}:{HEX}"}, 1, "digest") == f"{algorithm}:{HEX}"
    with pytest.raises(InvalidInput, match="ROW_VALUE_INVALID"):
        cells.digest_text({"digest": text}, 1, "digest")
