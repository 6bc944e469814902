"""Rows, names and codes from which no claim can be computed: each is refused with its own error code."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.rules.predicates import MAX_COUNT, columns_of, compute
from ledger.errors import InvalidInput
from tests.domain.rules.made_rows import ATTRIBUTES, G, claim, month, rows_of
from tests.support.sample_rules import DIGEST, RULES

ORDERED = [op for op, rule in RULES.items() if "order" in rule]


def refusal(rule: dict[str, Any], rows: list[dict[str, str]]) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        compute(rule, rows, ATTRIBUTES)
    return caught.value


def test_counting_without_rows_is_refused() -> None:
    assert refusal(RULES["count_distinct"], []).code == "ROWS_MISSING"


def test_a_count_above_the_maximum_is_refused() -> None:
    rows = [{"month": str(number)} for number in range(MAX_COUNT + 1)]
    assert refusal(RULES["count_distinct"], rows).code == "ROWS_TOO_MANY"
    assert compute(RULES["count_distinct"], rows[1:], {}) == MAX_COUNT


@pytest.mark.parametrize("name", [None, " ", "湛江\n公司", "湛" * 201, "公司 13800138000", "11010519491231002X"])
def test_subject_name_that_a_claim_cannot_contain_is_refused(name: str | None) -> None:
    with pytest.raises(InvalidInput) as caught:
        compute({"op": "attribute", "of": "name"}, [], {} if name is None else {"name": name})
    assert (caught.value.code, caught.value.where) == ("ATTRIBUTE_INVALID", "name")
    assert name in (None, " ") or name not in str(caught.value)


@pytest.mark.parametrize("uscc", ["", "91440802MA9X00011X", "11010519491231002X"])
def test_invalid_uscc_is_refused(uscc: str) -> None:
    with pytest.raises(InvalidInput, match="USCC_"):
        compute({"op": "attribute", "of": "uscc"}, [], {"uscc": uscc})


def no_float(value: Any) -> bool:
    if isinstance(value, list):
        return all(map(no_float, value))
    return type(value) in (str, int, bool)


HOSTILE = st.one_of(
    st.sampled_from(
        ["NaN", "-inf", "1e3", "9e999999", "１２", "1_000", "0x10", "1,000", " 1", "1 ", "1\n", "\x00", ""]
    ),
    st.from_regex(r"-?[0-9]{1,40}(\.[0-9]{0,40})?", fullmatch=True),
    st.text(max_size=20),
)


@given(rows=st.lists(st.fixed_dictionaries(dict.fromkeys(("kwh", "paid", "state", "score"), HOSTILE)), max_size=4))
def test_hostile_cells_are_refused_or_read_exactly(rows: list[dict[str, str]]) -> None:
    filled = [
        {"month": month(number), "opened": month(0), "digest": row["kwh"], "note": row["paid"]} | row
        for number, row in enumerate(rows)
    ]
    for op in ORDERED:
        try:
            assert no_float(compute(RULES[op], filled, ATTRIBUTES))
        except InvalidInput as error:
            assert error.code in ("ROW_VALUE_INVALID", "ROWS_MISSING"), op


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
@pytest.mark.parametrize("op", ["trend", "band", "at_least", "total_band", "series", "index_series"])
def test_a_row_without_a_number_in_the_column_of_the_rule_is_refused(op: str, value: str, column: str) -> None:
    """A row without a number is refused, even if the rule does not need this row for its claim."""
    rows = rows_of("kwh", ["1", "2", "3", "4", "5"])
    rows[1][column] = value
    error = refusal(RULES[op], rows)
    assert (error.code, error.where) == ("ROW_VALUE_INVALID", "row 2")
    assert column in error.message
    assert not value.strip() or value not in str(error)


@pytest.mark.parametrize("op", ORDERED)
def test_two_rows_of_one_month_are_refused(op: str) -> None:
    row = {"month": "202601", "kwh": "1", "paid": "yes", "state": G, "score": "1", "opened": "202601"}
    rows = [row | {"digest": DIGEST, "note": "a"}, row | {"digest": DIGEST, "note": "b", "kwh": "2", "paid": "no"}]
    assert refusal(RULES[op], rows).code == "ROW_ORDER_TWICE"


@pytest.mark.parametrize("op", ORDERED)
def test_rule_without_rows_is_refused(op: str) -> None:
    """Missing rows must be counted neither as zero nor as a good record."""
    assert refusal(RULES[op], []).code == "ROWS_MISSING"


@pytest.mark.parametrize("op", [op for op in RULES if op != "attribute"])
def test_missing_column_is_refused(op: str) -> None:
    whole = {"kwh": "1", "paid": "yes", "state": G, "score": "1", "opened": "202511", "digest": DIGEST, "note": "a"}
    for column in columns_of(RULES[op]):
        rows = [{"month": month(number), **whole} for number in range(3)]
        del rows[2][column]
        error = refusal(RULES[op], rows)
        assert (error.code, error.where) == ("ROW_COLUMN_MISSING", "row 3")
        assert column in error.message


def test_opening_date_after_the_last_row_is_refused() -> None:
    error = refusal(RULES["age"], rows_of("opened", ["202501", "202601"]))
    assert (error.code, error.where) == ("ROW_VALUE_INVALID", "row 2")


@pytest.mark.parametrize("first", ["0", "-5"])
def test_an_index_series_whose_first_value_is_not_above_zero_is_refused(first: str) -> None:
    assert refusal(RULES["index_series"], rows_of("kwh", [first, "5"])).where == "row 1"


def test_an_index_value_above_the_maximum_is_refused() -> None:
    small, large = "0." + "0" * 29 + "1", "9" * 30
    error = refusal(RULES["index_series"], rows_of("kwh", [small, large]))
    assert (error.code, error.where) == ("ROW_VALUE_INVALID", "row 2")
    assert claim("index_series", "kwh", ["0.00001", "100"])[1] == ["202512", 10**9]
