"""Value spaces of rules: a value fits if some rows can give it, and does not fit if no rows can give it."""

from __future__ import annotations

import unicodedata
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.domain.codes import synthetic_uscc
from ledger.domain.rules.predicates import (
    LARGEST_AGES,
    MAX_COUNT,
    MAX_INDEX,
    OPS,
    check_rule,
    compute,
)
from ledger.domain.rules.rule_members import MAX_SERIES, Rule
from ledger.domain.rules.value_spaces import SPACES, fits
from ledger.errors import InvalidInput
from tests.support.sample_rules import DIGEST, EDGES, RULES

USCC = synthetic_uscc("440802", 1)
ID_NUMBER = "11010519491231002X"
ROWS = [["202601", "12.5"], ["202602", "13"]]


def test_every_operation_has_a_value_space() -> None:
    assert SPACES.keys() == OPS.keys() == RULES.keys()


def rule(op: str, **members: Any) -> dict[str, Any]:
    found = RULES[op] | members
    check_rule(found, "rule")
    return found


BANDS = ["<1000", "1000–10000", "10000–50000.5", "≥50000.5"]
INSIDE: dict[str, tuple[dict[str, Any], list[Any]]] = {
    "name": (rule("attribute"), ["湛江某公司", "A", "A B", "12345678", "湛" * 200, "一二三四五六七八九"]),
    "uscc": (rule("attribute", of="uscc"), [USCC]),
    "count": (rule("count_distinct"), [1, MAX_COUNT]),
    "trend": (rule("trend"), ["rising", "falling", "stable"]),
    "band": (rule("band"), BANDS),
    "band of one edge": (rule("band", edges=["-0.5"]), ["<-0.5", "≥-0.5"]),
    "total band": (rule("total_band"), BANDS),
    "at least": (rule("at_least"), [True, False]),
    "latest": (rule("latest"), ["good", "mended", "bad"]),
    "latest in": (rule("latest_in"), [True, False]),
    "score": (rule("score"), [0, 1, 100]),
    "digest": (rule("digest"), [DIGEST, DIGEST.replace("sha-256", "sm3")]),
    "text": (rule("text"), ["x", "a line", "123456789", "湛" * 200]),
    **{f"age in {unit}s": (rule("age", unit=unit), [0, top]) for unit, top in LARGEST_AGES.items()},
    "last year": (rule("last_period", unit="year"), ["1900", "2199"]),
    "last month": (rule("last_period"), ["190001", "219912"]),
    "last day": (rule("last_period", unit="day"), ["19000101", "20240229", "21991231"]),
    "continuous": (rule("continuous"), [True, False]),
    "periods": (rule("periods"), [1, 3]),
    "first period": (rule("first_period"), ["202601"]),
    "any in": (rule("any_in"), [True, False]),
    "worst": (rule("worst"), ["good", "mended", "bad"]),
    "share": (rule("share_percent"), [0, 100]),
    "share at least": (rule("share_at_least"), [True, False]),
    "series": (rule("series"), [[["202601", "1"]], [["202512", "-1.50"], ["202601", "0"], ["202602", "9" * 30]]]),
    "series with a gap": (rule("series"), [[["202512", "1"], ["202602", "2"]]]),
    "index": (rule("index_series"), [[["202601", 100]], [["202601", 100], ["202602", -MAX_INDEX]]]),
}

NO_LINES = ["", " ", " A", "A ", "A\nB", "A\tB", "A\u00a0B", "A\u200bB", "A\ue000", "湛" * 201]
OUTSIDE: dict[str, tuple[dict[str, Any], list[Any]]] = {
    "name": (rule("attribute"), [*NO_LINES, "123456789", ID_NUMBER, "公司 13800138000"]),
    "uscc": (rule("attribute", of="uscc"), [USCC[:-1], USCC[:-1] + "0", USCC.lower(), ID_NUMBER, "91MA0802MA9X00011Y"]),
    "count": (rule("count_distinct"), [0, -1, MAX_COUNT + 1, "1", 1.0, True]),
    "trend": (rule("trend"), ["Rising", "", "unknown", 1, None]),
    "band": (rule("band"), ["<10000", "1000-10000", "1000–50000.5", "≥1000", "1000", "<1000 ", 1000]),
    "score": (rule("score"), [-1, 101, "7", True, 7.0]),
    "at least": (rule("at_least"), ["true", 1, 0, None, "yes", ROWS, ID_NUMBER]),
    "latest": (rule("latest"), ["GOOD", "", "bad ", ["good"], ID_NUMBER]),
    "digest": (rule("digest"), ["0" * 64, DIGEST + "0", DIGEST.upper(), "sha-512:" + "0" * 64, "md5:" + "0" * 64]),
    "text": (rule("text"), [*NO_LINES, "a\n", "\ud800"]),
    **{f"age in {unit}s": (rule("age", unit=unit), [-1, top + 1]) for unit, top in LARGEST_AGES.items()},
    "last year": (rule("last_period", unit="year"), ["1899", "2200", "202601", "26", 2026]),
    "last month": (rule("last_period"), ["202600", "202613", "2026", "20260101", "2026-1", "２０２６０１", 202601]),
    "last day": (rule("last_period", unit="day"), ["20230229", "20260100", "202601"]),
    "periods": (rule("periods"), [0, 4, "1"]),
    "share": (rule("share_percent"), [-1, 101]),
    "no series": (rule("series"), [[], None, {}, "202601", [["202601"]], [["202601", "1", "2"]], [{"202601": "1"}]]),
    "too long a series": (rule("series"), [[[f"20260{month}", "1"] for month in range(1, 5)]]),
    "series that falls": (rule("series"), [[["202602", "1"], ["202601", "1"]], [["202601", "1"], ["202601", "1"]]]),
    "series over too long a time": (rule("series"), [[["202511", "1"], ["202602", "1"]]]),
    "series of other numbers": (rule("series"), [[["202601", 1]], [["202601", "1e3"]], [["202601", "1" * 31]]]),
    "series of other periods": (rule("series"), [[["2026", "1"]], [["20260101", "1"]], [[202601, "1"]]]),
    "index": (rule("index_series"), [[["202601", "100"]], [["202601", MAX_INDEX + 1]], [["202601", True]]]),
}


@pytest.mark.parametrize("name", INSIDE)
def test_the_value_space_of_a_rule_contains_every_value_that_the_rule_can_give(name: str) -> None:
    by, values = INSIDE[name]
    for value in values:
        assert fits(by, value), value


@pytest.mark.parametrize("name", OUTSIDE)
def test_the_value_space_of_a_rule_contains_no_value_that_the_rule_cannot_give(name: str) -> None:
    by, values = OUTSIDE[name]
    for value in values:
        assert not fits(by, value), value


NO_RULES: list[Any] = [
    None,
    "trend",
    [],
    {},
    {"op": "equals", "column": "kwh"},
    {"op": ["at_least"]},
    {"op": None},
    RULES["at_least"] | {"more": 1},
    {name: value for name, value in RULES["at_least"].items() if name != "threshold"},
    RULES["at_least"] | {"threshold": 95},
    RULES["at_least"] | {"column": " kwh"},
    RULES["latest_in"] | {"wanted": ["yes", "no"]},
    RULES["latest_in"] | {"wanted": []},
    RULES["latest_in"] | {"choices": "yes"},
    RULES["continuous"] | {"unit": "week"},
    RULES["continuous"] | {"unit": ["month"]},
    RULES["any_in"] | {"last": True},
    RULES["any_in"] | {"last": 601},
    RULES["share_at_least"] | {"percent": 101},
]


@pytest.mark.parametrize("odd", NO_RULES, ids=range(len(NO_RULES)))
def test_the_value_space_of_an_invalid_rule_is_empty(odd: Any) -> None:
    for value in (True, False, 0, 1, "good", "yes", "rising", ROWS, None):
        assert not fits(odd, value)


# --- every computed value fits ----------------------------------------------------------------------------------------

CELLS = {
    "kwh": st.one_of(
        st.integers(-(10**6), 10**6).map(str),
        st.decimals(min_value=-(10**6), max_value=10**6, places=3).map(str),
        st.sampled_from([*EDGES, "0", "-0", "9" * 30]),
    ),
    "paid": st.sampled_from(["yes", "no"]),
    "state": st.sampled_from(["good", "mended", "bad"]),
    "score": st.integers(-1, 102).map(str),
    "digest": st.sampled_from([DIGEST, DIGEST.replace("sha-256", "sm3"), "none"]),
    "note": st.text(max_size=12) | st.sampled_from(["a line", "湛" * 200, "湛" * 201]),
}
PERIODS = {
    "year": st.integers(1900, 2199).map(str),
    "month": st.dates(date(1900, 1, 1), date(2199, 12, 31)).map(lambda day: f"{day:%Y%m}"),
    "day": st.dates(date(1900, 1, 1), date(2199, 12, 31)).map(lambda day: f"{day:%Y%m%d}"),
}
NEAR = {
    "year": st.integers(2000, 2030).map(str),
    "month": st.integers(0, 30).map(lambda number: f"{2025 + number // 12}{number % 12 + 1:02d}"),
    "day": st.integers(0, 40).map(lambda number: f"{date(2026, 1, 1) + timedelta(days=number):%Y%m%d}"),
}


@st.composite
def asked(draw: st.DrawFn) -> tuple[Rule, list[dict[str, str]], dict[str, str]]:
    """Draw a rule with any operation (``op``) and random members, rows that mostly fit the rule, and attributes of the
    subject.
    """
    op = draw(st.sampled_from(sorted(OPS)))
    made = dict(RULES[op])
    unit = draw(st.sampled_from(sorted(PERIODS)))
    if "unit" in made:
        made["unit"] = unit
    if "last" in made:
        made["last"] = draw(st.integers(1, MAX_SERIES if op.endswith("series") else 600))
    if "edges" in made:
        made["edges"] = sorted(
            {str(edge) for edge in draw(st.sets(st.integers(-50, 50), min_size=1, max_size=20))}, key=int
        )
    if op == "attribute":
        made["of"] = draw(st.sampled_from(["name", "uscc"]))
    check_rule(made, "rule")
    months = draw(st.lists(draw(st.sampled_from([PERIODS, NEAR]))[unit], min_size=0, max_size=12, unique=True))
    rows = []
    for month in months:
        cells = {column: draw(values) for column, values in CELLS.items()}
        rows.append({"month": month, "opened": draw(PERIODS[unit]), **cells})
    names = st.text(max_size=10) | st.sampled_from(["湛江某公司", "123456789"])
    return made, rows, {"name": draw(names), "uscc": draw(st.sampled_from([USCC, ID_NUMBER, ""]))}


@settings(max_examples=600, deadline=None)
@given(asked())
def test_every_computed_claim_is_in_the_value_space_of_its_rule(
    case: tuple[Rule, list[dict[str, str]], dict[str, str]],
) -> None:
    by, rows, attributes = case
    try:
        found = compute(by, rows, attributes)
    except InvalidInput:
        return
    assert fits(by, found), (by, found)


@pytest.mark.parametrize("op", sorted(OPS))
def test_every_operation_gives_a_claim_in_its_value_space(op: str) -> None:
    """Each operation gets rows that fit it. The other tests use random rows, so they might never test some
    operation.
    """
    rows = [
        {"month": f"20260{month}", "kwh": str(month * 20_000), "paid": "yes", "state": "bad", "score": "7"}
        | {"digest": DIGEST, "note": "a line", "opened": "190001"}
        for month in range(1, 6)
    ]
    assert fits(RULES[op], compute(RULES[op], rows, {"name": "湛江某公司", "uscc": USCC}))


def test_every_value_in_a_value_space_can_be_computed_from_some_rows() -> None:
    """A value that no rows can give must not fit. Otherwise an issuer could hide data in such a value."""
    spread = [{"month": "202601", "kwh": kwh} for kwh in ("0", "1000", "10000", "50000.5")]
    assert [compute(rule("band"), [row], {}) for row in spread] == BANDS
    for state in ("good", "mended", "bad"):
        assert compute(rule("latest"), [{"month": "202601", "state": state}], {}) == state
    for top in (0, 100):
        assert compute(rule("score"), [{"month": "202601", "score": str(top)}], {}) == top
    for unit, first, last in (("year", "1900", "2199"), ("month", "190001", "219912"), ("day", "19000101", "21991231")):
        oldest = compute(rule("age", unit=unit), [{"month": last, "opened": first}], {})
        assert oldest == LARGEST_AGES[unit]


# --- other values never fit -------------------------------------------------------------------------------------------

any_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=20)
    | st.sampled_from([ID_NUMBER, USCC, "yes", "good", "stable", "202601", *BANDS]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
ANSWERS = ("at_least", "latest_in", "continuous", "any_in", "share_at_least")


@given(st.sampled_from(ANSWERS), any_json)
def test_yes_or_no_claim_is_a_boolean(op: str, value: Any) -> None:
    assert fits(RULES[op], value) is (value is True or value is False)


@given(st.sampled_from(["trend", "band", "latest", "worst", "total_band"]), any_json)
def test_claim_with_a_fixed_set_of_values_is_one_of_the_listed_texts(op: str, value: Any) -> None:
    few = {"trend": ["rising", "falling", "stable"], "band": BANDS, "total_band": BANDS}
    assert fits(RULES[op], value) is (isinstance(value, str) and value in few.get(op, ["good", "mended", "bad"]))


@given(st.sampled_from(["count_distinct", "score", "age", "periods", "share_percent"]), any_json)
def test_numbers_in_a_value_space_are_bounded(op: str, value: Any) -> None:
    if fits(RULES[op], value):
        assert type(value) is int
        assert 0 <= value < 10**6


@given(st.text(max_size=210) | st.text(alphabet=" \u00a0\u2003\u200b\u2028x", max_size=5))
def test_a_line_of_text_is_defined_as_in_the_protocol(text: str) -> None:
    """A line has 1 to 200 characters. Apart from the space, none is of the Unicode categories C or Z. The first and the
    last character are not spaces.
    """
    printable = all(symbol == " " or unicodedata.category(symbol)[0] not in "CZ" for symbol in text)
    line = 1 <= len(text) <= 200 and printable and text[0] != " " and text[-1] != " "
    assert fits(RULES["text"], text) is line


@given(st.sampled_from(sorted(OPS)), any_json)
def test_checking_a_value_against_a_rule_never_raises(op: str, value: Any) -> None:
    assert fits(RULES[op], value) in (True, False)
    assert fits(value, RULES[op]) is False
