"""§6: the values that a disclosed claim can have by the rule of its field."""

from __future__ import annotations

import datetime
import re
import unicodedata
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from typing import Any

from tests.proof.second.forms import Form, boolean, digest, exactly, items, like, once, whole
from tests.proof.second.notation import Json

NUMBER = like(r"-?[0-9]{1,30}(\.[0-9]{1,30})?")


def column(value: Any) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= 64 and value == value.strip()


def rising(value: Any) -> bool:
    return items(NUMBER, high=20)(value) and all(Fraction(one) < Fraction(other) for one, other in pairwise(value))


PARTS: dict[str, Form] = {
    **dict.fromkeys(("column", "order", "since"), column),
    "unit": like("year|month|day"),
    **dict.fromkeys(("last", "at_least"), whole(1, 600)),
    "edges": rising,
    "choices": once(items(column, 2, 32)),
    "wanted": once(items(column)),
    **dict.fromkeys(("percent", "flat_percent"), whole(0, 100)),
    "top": whole(1, 1_000),
    "of": like("name|uscc"),
    "threshold": NUMBER,
}


def line(value: Any) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= 200 and value == value.strip() and all(map(printable, value))


def printable(character: str) -> bool:
    return character == " " or unicodedata.category(character)[0] not in "CZ"


def name_of_a_company(value: Any) -> bool:
    """Return whether the text can be a company's name. Nine digits in a row are refused, because they could be a
    person's number.
    """
    return line(value) and not re.search("[0-9]{9}", value)


USCC = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def uscc(value: Any) -> bool:
    """Return whether the text is a valid USCC, GB 32100-2015 §5.3."""
    if not like(rf"[1-9ANY][1-9][0-9]{{6}}[{USCC}]{{10}}")(value):
        return False
    total = sum(USCC.index(character) * pow(3, place, 31) for place, character in enumerate(value[:17]))
    return USCC[-total % 31] == value[17]


def bands(rule: Json) -> Form:
    edges = rule["edges"]
    return one_of([f"<{edges[0]}", *(f"{one}–{other}" for one, other in pairwise(edges)), f"≥{edges[-1]}"])


def one_of(texts: list[str]) -> Form:
    return lambda value: value in texts


def number_of(unit: str, period: Any) -> int | None:
    """Return a number for the period; consecutive periods have consecutive numbers. Return None if ``period`` is not a
    period of the unit.
    """
    missing = {"year": "0101", "month": "01", "day": ""}[unit]
    if not like(rf"(19|20|21)[0-9]{{{6 - len(missing)}}}")(period):
        return None
    try:
        day = datetime.date.fromisoformat(period + missing)
    except ValueError:
        return None
    return {"year": day.year, "month": 12 * day.year + day.month, "day": day.toordinal()}[unit]


def period(rule: Json) -> Form:
    return lambda value: number_of(rule["unit"], value) is not None


def series(rule: Json, form: Form) -> Form:
    def pair(value: Any) -> bool:
        return isinstance(value, list) and len(value) == 2 and period(rule)(value[0]) and form(value[1])

    def fitting(value: Any) -> bool:
        if not items(pair, high=rule["last"])(value):
            return False
        numbers = [number_of(rule["unit"], each) or 0 for each, _ in value]
        return all(one < other for one, other in pairwise(numbers)) and numbers[-1] - numbers[0] < rule["last"]

    return fitting


AGES = {"year": 299, "month": 3_599, "day": 109_572}
WINDOW = "column order unit last"
Values = Callable[[Json], Form]
RULES: dict[str, tuple[str, Values]] = {
    "attribute": ("of", lambda rule: {"name": name_of_a_company, "uscc": uscc}[rule["of"]]),
    "count_distinct": ("column", lambda rule: whole(1, 10_000)),
    "trend": ("column order flat_percent", lambda rule: one_of(["rising", "falling", "stable"])),
    "band": ("column order edges", bands),
    "total_band": (f"{WINDOW} edges", bands),
    "at_least": ("column order threshold", lambda rule: boolean),
    "latest": ("column order choices", lambda rule: one_of(rule["choices"])),
    "worst": (f"{WINDOW} choices", lambda rule: one_of(rule["choices"])),
    "latest_in": ("column order choices wanted", lambda rule: boolean),
    "any_in": (f"{WINDOW} choices wanted", lambda rule: boolean),
    "score": ("column order top", lambda rule: whole(0, rule["top"])),
    "digest": ("column order", lambda rule: digest),
    "text": ("column order", lambda rule: line),
    "age": ("since order unit", lambda rule: whole(0, AGES[rule["unit"]])),
    "last_period": ("order unit", period),
    "continuous": ("order unit at_least", lambda rule: boolean),
    "periods": ("order unit last", lambda rule: whole(1, rule["last"])),
    "first_period": ("order unit last", period),
    "share_percent": (f"{WINDOW} choices wanted", lambda rule: whole(0, 100)),
    "share_at_least": (f"{WINDOW} choices wanted percent", lambda rule: boolean),
    "series": (WINDOW, lambda rule: series(rule, NUMBER)),
    "index_series": (WINDOW, lambda rule: series(rule, whole(-(10**9), 10**9))),
}


ANY_BUT_COMPONENT = "predicate aggregate raw"
MODES = dict.fromkeys(RULES, ANY_BUT_COMPONENT) | {
    **dict.fromkeys(("band", "total_band"), "predicate component aggregate raw"),
    "score": "component aggregate raw",
    "text": "raw",
    **dict.fromkeys(("share_percent", "series", "index_series"), "aggregate raw"),
}
"""The payload modes that allow the op."""


def is_rule(rule: Json) -> bool:
    op = rule.get("op")
    if not (isinstance(op, str) and op in RULES):
        return False
    parts = {"op": like(op)} | {part: PARTS[part] for part in RULES[op][0].split()}
    if not exactly(parts)(rule):
        return False
    if op in ("series", "index_series"):
        return rule["last"] <= 36
    # If ``wanted`` had all of the choices, the claim would always be true.
    return "wanted" not in rule or set(rule["wanted"]) < set(rule["choices"])


def fits(rule: Json, value: Any) -> bool:
    return is_rule(rule) and RULES[rule["op"]][1](rule)(value)


def shows_no_more_than(payload_mode: str, rule: Json) -> bool:
    return payload_mode in MODES[rule["op"]].split()
