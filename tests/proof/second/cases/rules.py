"""Cases for comparing the verifiers: rules and values at their limits (§6)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.proof.second.notation import Json
from tests.proof.second.values import USCC

COLUMN = {"column": "kwh", "order": "month"}
CHOICES = {"choices": ["A", "B", "C"]}
WINDOW = {"unit": "month", "last": 12}
RULES: list[Json] = [
    {"op": "attribute", "of": "name"},
    {"op": "attribute", "of": "uscc"},
    {"op": "count_distinct", "column": "site"},
    {"op": "trend", **COLUMN, "flat_percent": 5},
    {"op": "band", **COLUMN, "edges": ["100"]},
    {"op": "band", **COLUMN, "edges": ["-5", "0.5", "00100.50"]},
    {"op": "total_band", **COLUMN, **WINDOW, "edges": ["0", "1"]},
    {"op": "at_least", **COLUMN, "threshold": "10"},
    {"op": "latest", **COLUMN, **CHOICES},
    {"op": "worst", **COLUMN, **WINDOW, **CHOICES},
    {"op": "latest_in", **COLUMN, **CHOICES, "wanted": ["C", "A"]},
    {"op": "any_in", **COLUMN, **WINDOW, **CHOICES, "wanted": ["B"]},
    {"op": "score", **COLUMN, "top": 100},
    {"op": "digest", **COLUMN},
    {"op": "text", **COLUMN},
    *({"op": "age", "since": "opened", "order": "o", "unit": unit} for unit in ("year", "month", "day")),
    *({"op": "last_period", "order": "o", "unit": unit} for unit in ("year", "month", "day")),
    {"op": "continuous", "order": "o", "unit": "day", "at_least": 6},
    {"op": "periods", "order": "o", "unit": "month", "last": 24},
    {"op": "first_period", "order": "o", "unit": "year", "last": 5},
    {"op": "share_percent", **COLUMN, **WINDOW, **CHOICES, "wanted": ["B"]},
    {"op": "share_at_least", **COLUMN, **WINDOW, **CHOICES, "wanted": ["B"], "percent": 95},
    *({"op": "series", **COLUMN, "unit": unit, "last": 3} for unit in ("year", "month", "day")),
    *({"op": "index_series", **COLUMN, "unit": unit, "last": 36} for unit in ("year", "month", "day")),
]
SPACES = "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u200a\u2028\u2029\u202f\u205f\u3000"
NOT_SPACES = "\x00\x08\x0e\x1b\x7f\x84\x86\xad\u180e\u200b\u2060\ufeff\ue000\u0378\U0010fffd\u0301Ａ湛٣"
NUMBERS = """
0 -0 00 -1 1.5 1.50 .5 1. +1 1e3 0x1 １ ٣ -  -- 1,000
111111111111111111111111111111 1111111111111111111111111111111 0.111111111111111111111111111111
0.1111111111111111111111111111111 -111111111111111111111111111111.111111111111111111111111111111
"""
PERIODS = """
1899 1900 2199 2200 202 20266 202600 202601 202612 202613 189912 190001 219912 220001
20260101 20260131 20260132 20260229 20240229 20260100 20261301 18991231 19000101 21991231
22000101 19000229 20000229 ２０２６ 2026٠1 2026-01 2026011 -202601
"""
TEXTS = """
rising falling stable Rising A B C D a true <100 ≥100 >=100 <-5 -5–0.5 0.5–00100.50 0.5–100.5 -5-0.5 ≥00100.50 ≥0.5
<0 0–1 ≥1 ≥0 12345678 123456789 1234٣6789 a123456789 湛江市某某有限公司
91350100M000100Y43 91350100m000100y43 91350100M000100Y4 91350100M000100Y433 000000000000000000 91350100M000100Y4０
"""
USCCS = [f"{stem}{check}" for stem in ("913501A0M000100Y4", "91350100M000100Y4") for check in USCC]


def lines() -> Iterator[str]:
    yield from ("", " ", "x" * 64, "x" * 65, "x" * 200, "x" * 201, "湛" * 200)
    for character in (*SPACES, *NOT_SPACES):
        yield from (f"a{character}b", f"{character}ab", f"ab{character}", character)


def series() -> Iterator[Any]:
    pairs = {unit: [[period, "1"] for period in periods.split()] for unit, periods in RISING.items()}
    for many in pairs.values():
        yield from (many[:size] for size in range(len(many) + 1))
        yield from (many[::-1], [many[0], many[0]], [many[0], *many[2:]])
        odd: list[Any] = [0, 1, 10**9, 10**9 + 1, -(10**9), -(10**9) - 1, True, None, "", "1.5", "x", [], {}]
        yield from ([[many[0][0], each]] for each in odd)
        numbered = [[period, place] for place, (period, _) in enumerate(many)]
        yield from (numbered, numbered[::-1], [*numbered[:1], [*numbered[1], 0]], [numbered[0][:1]], [numbered[0][0]])
    yield from (
        [["", "1"]],
        [[2026, "1"]],
        [[None, "1"]],
        [{"2026": "1"}],
        [{"2026": "1", "2027": "1"}],
        {"2026": "1"},
        [[["2026"], "1"]],
        "2026",
    )
    month = [[f"{2026 + number // 12}{number % 12 + 1:02}", number] for number in range(37)]
    yield from (month[:36], month, [month[0], month[35]], [month[0], month[36]])


RISING = {
    "year": "2024 2025 2026 2027",
    "month": "202511 202512 202601 202602",
    "day": "20240228 20240229 20240301 20240302",
}
EDGES = (1, 2, 5, 6, 12, 24, 36, 95, 100, 101, 299, 300, 600, 1_000, 3_599, 3_600, 10_000, 10_001, 109_572, 109_573)
PLAIN: tuple[Any, ...] = (None, True, False, [], {}, ["A"], {"A": 1}, 0, -1, *EDGES, 2**53 - 1)
DIGESTS = [f"{name}:{'0f' * 32}" for name in ("sha-256", "sm3", "sha-512")] + ["0f" * 32, "sha-256:" + "0F" * 32]
WORDS = f"{NUMBERS} {PERIODS} {TEXTS}".split()
VALUES: list[Any] = [*PLAIN, *WORDS, *DIGESTS, *USCCS, *lines(), *series()]


def parts() -> Iterator[Any]:
    """Yield replacements for a part of a rule."""
    yield from (
        *PLAIN,
        35,
        37,
        599,
        601,
        999,
        1_001,
        *lines(),
        *NUMBERS.split(),
        "name",
        "uscc",
        "year",
        "month",
        "day",
        "months",
    )
    for sizes, make in (((1, 2, 20, 21), str), ((1, 2, 32, 33), "c{}".format)):
        yield from ([make(number) for number in range(size)] for size in sizes)
    yield from (["1", "1.0"], ["2", "1"], ["9", "10"], ["1", 2], ["x"], ["A", "B", "C"], ["A", "B"], ["B", "B"])
    yield from (
        ["C", "B", "A"],
        ["A", "X"],
        ["X"],
        ["A", " B"],
        ["A", "x" * 64],
        ["A", "x" * 65],
        ["A", ""],
        [["A"]],
        [None],
    )


PARTS = list(parts())


def values_that_follow(rule: Json) -> Iterator[Any]:
    """Yield values for a claim that are made of the rule's own texts: its choices, and bands between its edges. The
    rule itself may be invalid.
    """
    for member in ("edges", "choices", "wanted"):
        texts = rule.get(member)
        if isinstance(texts, list) and texts:
            yield from (texts[0], texts[-1], f"<{texts[0]}", f"≥{texts[-1]}", "–".join(map(str, texts[:2])))


def damaged_rules(rule: Json) -> Iterator[Json]:
    yield rule | {"more": 1}
    for member in rule:
        yield {name: rule[name] for name in rule if name != member}
        yield from (rule | {member: part} for part in PARTS)
    yield from (rule | {"op": other["op"]} for other in RULES)
