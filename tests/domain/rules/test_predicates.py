"""Claims that rules compute from rows: examples for every rule, and a second computation of each claim."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.rules.predicates import check_rule, compute
from ledger.domain.rules.rule_members import MAX_SERIES
from ledger.proof.sdjwt import Disclosed
from tests.domain.rules.made_rows import ATTRIBUTES, B, G, M, claim, month
from tests.support.sample_rules import DIGEST, EDGES, RULES


@pytest.mark.parametrize("of", ["name", "uscc"])
def test_attribute_rule_gives_the_expected_claim(of: str) -> None:
    assert compute({"op": "attribute", "of": of}, [], ATTRIBUTES) == ATTRIBUTES[of]


COUNTS = {
    "one": (["202601"], 1),
    "all differ": (["202601", "202602", "202603"], 3),
    "repeated": (["202601", "202602", "202601", "202601"], 2),
    "compared as text": (["1", "01", "1.0"], 3),
}


@pytest.mark.parametrize(("months", "count"), COUNTS.values(), ids=COUNTS.keys())
def test_a_count_distinct_rule_gives_the_expected_claim(months: list[str], count: int) -> None:
    assert compute(RULES["count_distinct"], [{"month": month} for month in months], {}) == count


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
    "more digits than decimal arithmetic keeps by default": (
        ("1" + "0" * 29, "1.05".replace(".", "") + "0" * 27 + ".1"),
        "rising",
    ),
}


@pytest.mark.parametrize(("values", "trend"), TRENDS.values(), ids=TRENDS.keys())
def test_trend_rule_gives_the_expected_claim(values: tuple[str, ...], trend: str) -> None:
    assert claim("trend", "kwh", values) == trend


@pytest.mark.parametrize(("last", "trend"), [("100", "stable"), ("100.1", "rising"), ("99.9", "falling")])
def test_trend_rule_without_tolerance_gives_the_expected_claim(last: str, trend: str) -> None:
    assert claim("trend", "kwh", ["100", last], flat_percent=0) == trend


BANDS = {
    "far below": ("-1", "<1000"),
    "just below the first edge": ("999.999", "<1000"),
    "first edge": ("1000", "1000–10000"),
    "first edge in another spelling": ("1000.000", "1000–10000"),
    "just below the second edge": ("9999.999", "1000–10000"),
    "second edge": ("10000", "10000–50000.5"),
    "just below the last edge": ("50000.49", "10000–50000.5"),
    "last edge": ("50000.5", "≥50000.5"),
    "far above": ("1000000000", "≥50000.5"),
    "tiny": ("0." + "0" * 29 + "1", "<1000"),
}


@pytest.mark.parametrize(("value", "band"), BANDS.values(), ids=BANDS.keys())
def test_band_rule_gives_the_expected_claim(value: str, band: str) -> None:
    assert claim("band", "kwh", ["7", value]) == band
    assert claim("total_band", "kwh", ["99999", "", "", "0", value]) == band


@pytest.mark.parametrize(("value", "band"), [("9.9", "<10"), ("10", "≥10")])
def test_band_rule_with_one_edge_gives_the_expected_claim(value: str, band: str) -> None:
    assert claim("band", "kwh", [value], edges=["10"]) == band


# For each example: the rule, its column, the monthly values from November 2025 on ("" is a month without a row), and
# the expected claim. Rules with the member ``last`` look at the last 3 months.
CLAIMS: dict[str, tuple[str, str, list[str], Any]] = {
    "at least, below": ("at_least", "kwh", ["99", "94.999"], False),
    "at least, the threshold": ("at_least", "kwh", ["0", "95.00"], True),
    "at least, negative": ("at_least", "kwh", ["99", "-95"], False),
    "latest": ("latest", "state", [B, G, M], M),
    "latest in": ("latest_in", "paid", ["no", "yes"], True),
    "latest not in": ("latest_in", "paid", ["yes", "no"], False),
    "score": ("score", "score", ["12", "85"], 85),
    "digest": ("digest", "digest", [DIGEST.replace("0", "f"), DIGEST], DIGEST),
    "text": ("text", "note", ["ZB-1", "ZB-2 采购"], "ZB-2 采购"),
    "age": ("age", "opened", ["202403", "202403"], 21),
    "age of 0 months": ("age", "opened", ["202511"], 0),
    "last period": ("last_period", "kwh", ["1", "1", "", "1"], "202602"),
    "continuous": ("continuous", "kwh", ["1", "1", "1"], True),
    "continuous over an old gap": ("continuous", "kwh", ["1", "", "1", "1", "1"], True),
    "not continuous": ("continuous", "kwh", ["1", "1", "", "1", "1"], False),
    "too short to be continuous": ("continuous", "kwh", ["1", "1"], False),
    "periods": ("periods", "kwh", ["1", "1", "", "1"], 2),
    "periods of one row": ("periods", "kwh", ["1"], 1),
    "first period": ("first_period", "kwh", ["1", "1", "", "1"], "202512"),
    "first period after a gap": ("first_period", "kwh", ["1", "", "", "1", "1"], "202602"),
    "total": ("total_band", "kwh", ["90000", "4000", "4000", "3000"], "10000–50000.5"),
    "total of less": ("total_band", "kwh", ["500", "499.9"], "<1000"),
    "any in": ("any_in", "paid", ["no", "yes", "no"], True),
    "any in, long ago": ("any_in", "paid", ["yes", "no", "no", "no"], False),
    "worst": ("worst", "state", [G, B, M], B),
    "worst of late": ("worst", "state", [B, G, M, G], M),
    "best": ("worst", "state", [G, G], G),
    "share, all": ("share_percent", "paid", ["yes", "yes", "yes"], 100),
    "share, rounded down": ("share_percent", "paid", ["yes", "yes", "no"], 66),
    "share of 0 percent": ("share_percent", "paid", ["yes", "no", "no", "no"], 0),
    "share at least, just not": ("share_at_least", "paid", ["yes", "yes", "no"], False),
    "share at least": ("share_at_least", "paid", ["yes", "", "yes"], True),
    "series": ("series", "kwh", ["9", "7.50", "", "-0"], [["202512", "7.50"], ["202602", "-0"]]),
    "index": ("index_series", "kwh", ["9", "200", "201", "99"], [["202512", 100], ["202601", 101], ["202602", 50]]),
    "index of a fall below zero": ("index_series", "kwh", ["200", "-101"], [["202511", 100], ["202512", -50]]),
}


@pytest.mark.parametrize(("op", "column", "values", "expected"), CLAIMS.values(), ids=CLAIMS.keys())
def test_rule_gives_the_expected_claim(op: str, column: str, values: list[str], expected: Any) -> None:
    found = claim(op, column, values)
    assert (type(found), found) == (type(expected), expected)


def test_periods_can_be_years_or_days() -> None:
    years = [{"year": str(year), "output": str(year - 2019)} for year in range(2020, 2026)]
    assert compute({"op": "trend", "column": "output", "order": "year", "flat_percent": 5}, years, {}) == "rising"
    assert compute({"op": "periods", "order": "year", "unit": "year", "last": 5}, years, {}) == 5
    days = [{"day": "20240229"}, {"day": "20240301"}]
    assert compute({"op": "continuous", "order": "day", "unit": "day", "at_least": 2}, days, {}) is True


def another_way(rule: dict[str, Any], rows: list[dict[str, str]]) -> Any:
    """Compute the claim without the tested code: months are compared as texts, and numbers are decimals."""
    by_month = {row["month"]: row for row in rows}
    newest = max(by_month)
    back = [newest]
    while len(back) < rule.get("last", 0):
        year, number = int(back[-1][:4]), int(back[-1][4:])
        back.append(f"{year - 1}12" if number == 1 else f"{year}{number - 1:02d}")
    seen = [by_month[text] for text in reversed(back) if text in by_month]
    last, op = by_month[newest], rule["op"]
    column = rule.get("column", "month")
    wanted = [row for row in seen if row[column] in rule.get("wanted", ())]
    with localcontext(Context(prec=400)):
        match op:
            case "trend":
                first, final = Decimal(by_month[min(by_month)]["kwh"]), Decimal(last["kwh"])
                moved = abs(final - first) > abs(first) * rule["flat_percent"] / 100
                return ("rising" if final > first else "falling") if moved else "stable"
            case "band" | "total_band":
                summed = [last] if op == "band" else seen
                total = sum((Decimal(row["kwh"]) for row in summed), Decimal(0))
                place = sum(total >= Decimal(edge) for edge in EDGES)
                return ["<1000", "1000–10000", "10000–50000.5", "≥50000.5"][place]
            case "at_least":
                return Decimal(last["kwh"]) >= 95
            case "index_series":
                base = Decimal(seen[0]["kwh"])
                share = [(Decimal(row["kwh"]) * 100 / base) for row in seen]
                whole = [int(each.quantize(Decimal(1), ROUND_HALF_UP)) for each in share]
                return [list(pair) for pair in zip((row["month"] for row in seen), whole, strict=True)]
            case "age":
                (year, number), (since, start) = ((int(text[:4]), int(text[4:])) for text in (newest, last["opened"]))
                return (year - since) * 12 + number - start
    return {
        "count_distinct": len(by_month),
        "latest": last["state"],
        "latest_in": last["paid"] == "yes",
        "score": int(last["score"]),
        "digest": last["digest"],
        "text": last["note"],
        "last_period": newest,
        "continuous": all(month in by_month for month in back) if op == "continuous" else None,
        "periods": len(seen),
        "first_period": seen[0]["month"] if seen else None,
        "any_in": bool(wanted),
        "worst": next((state for state in (B, M, G) if any(row["state"] == state for row in seen)), None),
        "share_percent": len(wanted) * 100 // max(1, len(seen)),
        "share_at_least": len(wanted) / max(1, len(seen)) >= 0.67,
        "series": [[row["month"], row["kwh"]] for row in seen],
    }[op]


AMOUNTS = st.decimals("0.1", 10**6, places=2, allow_nan=False, allow_infinity=False).map(lambda value: f"{value:f}")
ROW = st.fixed_dictionaries(
    {
        "month": st.integers(0, 40).map(month),
        "kwh": AMOUNTS,
        "paid": st.sampled_from(["yes", "no"]),
        "state": st.sampled_from([G, M, B]),
        "score": st.integers(0, 100).map(str),
        "opened": st.integers(-30, 0).map(month),
        "digest": st.binary(min_size=32, max_size=32).map(lambda raw: f"sm3:{raw.hex()}"),
        "note": st.text("采购AZ09-", min_size=1, max_size=9),
    }
)
ROWS = st.lists(ROW, min_size=1, max_size=12, unique_by=lambda row: row["month"])


@given(rows=ROWS, last=st.integers(1, 36), seed=st.integers(0, 2**32))
def test_a_second_implementation_gives_the_same_claim_for_any_order_of_rows(rows: Any, last: int, seed: int) -> None:
    shuffled = Random(seed).sample(rows, len(rows))
    for op in RULES.keys() - {"attribute"}:
        rule = RULES[op] | ({"last": last} if "last" in RULES[op] else {})
        found = compute(rule, shuffled, ATTRIBUTES)
        assert found == compute(rule, rows, ATTRIBUTES), op
        assert found == another_way(rule | ({"last": rule["at_least"]} if op == "continuous" else {}), rows), op


def test_longest_series_fits_into_one_disclosure() -> None:
    number = "-" + "9" * 30 + "." + "9" * 30
    rows = [{"day": f"202601{day:02d}", "kwh": number} for day in range(1, 32)]
    rows += [{"day": f"202602{day:02d}", "kwh": number} for day in range(1, 29)]
    rule = {"op": "series", "column": "kwh", "order": "day", "unit": "day", "last": MAX_SERIES}
    check_rule(rule, "rule")
    found = compute(rule, rows, {})
    assert isinstance(found, list)
    assert len(found) == MAX_SERIES
    assert Disclosed.decode(Disclosed("A" * 22, "n" * 64, found).encoded).value == found
