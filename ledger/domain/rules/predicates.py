# SPDX-License-Identifier: Apache-2.0
"""Computes claims from the rows that a provider supplied. Arithmetic is exact and uses no floats.

``OPS`` lists every kind of rule; docs/scenarios.md explains them to authors of scenarios.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any, Final, TypeVar

from ledger.domain.codes import check_uscc
from ledger.domain.rules import supplied_rows as cells
from ledger.domain.rules.rule_members import (
    CHOICES,
    CHOSEN,
    COLUMN,
    EDGES,
    LAST,
    MAX_LAST,
    NEWEST,
    PERCENT,
    SERIES,
    SPAN,
    THRESHOLD,
    Member,
    Rule,
    whole,
)
from ledger.domain.rules.supplied_rows import Dated, Read, Row, Rows, dated, window
from ledger.errors import InvalidInput

Attributes = Mapping[str, str]
Series = list[list[str | int]]
Claim = str | int | bool | Series
T = TypeVar("T")

# The version of the code that computes claims. If a change of the code makes some rows give another claim than before,
# raise this number and also the version of every scenario. A template names both versions, and one version of a
# scenario cannot have two engines.
ENGINE: Final = 2
MAX_INDEX: Final = 10**9
# The maximum number of rows in one provision.
MAX_COUNT: Final = 10_000
# The largest possible distance between the periods of two rows (1900 to 2199), in years, months or days.
LARGEST_AGES: Final[Mapping[str, int]] = {"year": 299, "month": 3_599, "day": 109_572}
_NUMBER_LIKE: Final = re.compile(r"[0-9]{9}")
# The members of a rule whose values are names of columns.
_COLUMNS: Final = ("order", "column", "since")


@dataclass(frozen=True, slots=True)
class Op:
    """A kind of rule: how it computes the claim, the type of the claim, the payload modes that allow it, and its
    members.
    """

    claim: Callable[[Rule, Rows, Attributes], Claim]
    type: str
    modes: frozenset[str]
    members: Mapping[str, Member]


def compute(rule: Rule, rows: Rows, attributes: Attributes) -> Claim:
    """Return the claim that ``rule`` gives for ``rows`` and the subject's ``attributes``. The order of the rows makes
    no difference.

    Raises ``InvalidInput``: ``ROWS_MISSING`` if there is no row, ``ROWS_TOO_MANY``; ``ROW_COLUMN_MISSING``,
    ``ROW_VALUE_INVALID``, ``ROW_ORDER_TWICE`` with the row; ``ATTRIBUTE_INVALID`` with the attribute.
    """
    return OPS[rule["op"]].claim(rule, rows, attributes)


def check_rule(rule: Any, where: str) -> None:
    """Raise ``InvalidInput`` ``RULE_INVALID`` unless ``rule`` has a known op and exactly the members of this op."""
    name = rule.get("op") if isinstance(rule, dict) else None
    op = OPS.get(name) if isinstance(name, str) else None
    if op is None:
        known = ", ".join(sorted(OPS))
        raise _bad_rule(where, f"规则的 op 应为下列之一。The op must be one of: {known}.")
    if rule.keys() - {"op"} != op.members.keys():
        raise _bad_rule(
            where, f"规则 {name} 的成员应正好是下列各项。Use exactly these members: {', '.join(op.members)}."
        )
    for member, expected in op.members.items():
        if not expected.fits(rule[member], rule):
            raise _bad_rule(f"{where}.{member}", f"应为{expected.zh}。Expected: {expected.en}.")


def columns_of(rule: Rule) -> tuple[str, ...]:
    """Return the columns that a rule reads. The rule must already have passed ``check_rule``."""
    return tuple(rule[member] for member in _COLUMNS if member in rule)


def rule_version(scenario_code: str, version: int) -> str:
    """Return the version of the rules as certificates write it, for example ``S01/1/engine-2``."""
    return f"{scenario_code}/{version}/engine-{ENGINE}"


# The functions below, up to the next heading, compute the claims of rules that read attributes of the subject, or all
# rows.


def is_name(text: str) -> bool:
    """Return whether the text can be an enterprise's name in a claim: one line, without nine digits in a row.

    Nine or more digits in a row could be a phone number or an ID number.
    """
    return cells.is_line(text) and _NUMBER_LIKE.search(text) is None


def _attribute(rule: Rule, _rows: Rows, attributes: Attributes) -> Claim:
    value = attributes.get(rule["of"], "")
    if rule["of"] == "uscc":
        return check_uscc(value, "uscc")
    if not is_name(value):
        raise InvalidInput(
            "ATTRIBUTE_INVALID",
            f"A name must be a line of at most {cells.MAX_TEXT} printable characters, without nine digits in a row.",
            where="name",
        )
    return value


def _count_distinct(rule: Rule, rows: Rows, _attributes: Attributes) -> Claim:
    found = {cells.cell(row, place, rule["column"]) for place, row in enumerate(rows, start=1)}
    if not found:
        raise InvalidInput("ROWS_MISSING", "There is no row to compute a claim from.")
    if len(found) > MAX_COUNT:
        raise InvalidInput("ROWS_TOO_MANY", f"A claim counts at most {MAX_COUNT} different values.")
    return len(found)


def _trend(rule: Rule, rows: Rows, _attributes: Attributes) -> Claim:
    series = _by_period(rule, rows, _number(rule))
    first, last = series[0].value, series[-1].value
    if abs(last - first) * 100 <= abs(first) * rule["flat_percent"]:
        return "stable"
    return "rising" if last > first else "falling"


# The functions below, up to the next heading, compute the claims of rules that read only the newest row.


def _band(rule: Rule, rows: Rows, _attributes: Attributes) -> Claim:
    return _banded(_newest(rule, rows, _number(rule)), rule["edges"])


def _at_least(rule: Rule, rows: Rows, _attributes: Attributes) -> Claim:
    return _newest(rule, rows, _number(rule)) >= Fraction(rule["threshold"])


def _latest(rule: Rule, rows: Rows, _attributes: Attributes) -> Claim:
    return _newest(rule, rows, _category(rule))


def _latest_in(rule: Rule, rows: Rows, _attributes: Attributes) -> Claim:
    return _newest(rule, rows, _category(rule)) in rule["wanted"]


def _score(rule: Rule, rows: Rows, _attributes: Attributes) -> Claim:
    return _newest(rule, rows, lambda row, place: cells.score(row, place, rule["column"], rule["top"]))


def _digest(rule: Rule, rows: Rows, _attributes: Attributes) -> Claim:
    return _newest(rule, rows, lambda row, place: cells.digest_text(row, place, rule["column"]))


def _text(rule: Rule, rows: Rows, _attributes: Attributes) -> Claim:
    return _newest(rule, rows, lambda row, place: cells.line(row, place, rule["column"]))


def _age(rule: Rule, rows: Rows, _attributes: Attributes) -> Claim:
    newest = _by_period(rule, rows, lambda row, place: cells.period(row, place, rule["since"], rule["unit"]))[-1]
    if newest.value > newest.ordinal:
        raise cells.invalid(newest.place, rule["since"], "is later than the row's own period")
    return newest.ordinal - newest.value


def _last_period(rule: Rule, rows: Rows, _attributes: Attributes) -> Claim:
    return _by_period(rule, rows, _nothing)[-1].period


def _continuous(rule: Rule, rows: Rows, _attributes: Attributes) -> Claim:
    wanted: int = rule["at_least"]
    return len(window(_by_period(rule, rows, _nothing), wanted)) == wanted


# The functions below compute the claims of rules that read the rows of the last years, months or days.


def _periods(rule: Rule, rows: Rows, _attributes: Attributes) -> Claim:
    return len(_window(rule, rows, _nothing))


def _first_period(rule: Rule, rows: Rows, _attributes: Attributes) -> Claim:
    return _window(rule, rows, _nothing)[0].period


def _total_band(rule: Rule, rows: Rows, _attributes: Attributes) -> Claim:
    total = sum((item.value for item in _window(rule, rows, _number(rule))), Fraction(0))
    return _banded(total, rule["edges"])


def _any_in(rule: Rule, rows: Rows, _attributes: Attributes) -> Claim:
    return _wanted(rule, rows)[0] > 0


def _worst(rule: Rule, rows: Rows, _attributes: Attributes) -> Claim:
    choices: list[str] = rule["choices"]
    return max((item.value for item in _window(rule, rows, _category(rule))), key=choices.index)


def _share_percent(rule: Rule, rows: Rows, _attributes: Attributes) -> Claim:
    # The share is rounded down. So it is never too high, and 100 means that all rows fulfil the condition.
    part, whole = _wanted(rule, rows)
    return part * 100 // whole


def _share_at_least(rule: Rule, rows: Rows, _attributes: Attributes) -> Claim:
    part, whole = _wanted(rule, rows)
    percent: int = rule["percent"]
    return part * 100 >= percent * whole


def _series(rule: Rule, rows: Rows, _attributes: Attributes) -> Claim:
    items = _window(rule, rows, lambda row, place: cells.number_text(row, place, rule["column"]))
    series: Series = [[item.period, item.value] for item in items]
    return series


def _index_series(rule: Rule, rows: Rows, _attributes: Attributes) -> Claim:
    items = _window(rule, rows, _number(rule))
    first = items[0].value
    if first <= 0:
        raise cells.invalid(items[0].place, rule["column"], "must be above 0 in the first period of the index")
    index: Series = [[item.period, _indexed(rule, item, first)] for item in items]
    return index


def _indexed(rule: Rule, item: Dated[Fraction], first: Fraction) -> int:
    index = int((item.value * 200 + first) // (first * 2))  # This rounds to the nearest integer; a half is rounded up.
    if abs(index) > MAX_INDEX:
        raise cells.invalid(item.place, rule["column"], "is too far from the first value of the index")
    return index


def bands_of(edges: Sequence[str]) -> list[str]:
    """Return the bands between the edges, from the lowest to the highest. For example, 10 and 20 give ``<10``,
    ``10–20``, ``≥20``.
    """
    return [f"<{edges[0]}", *(f"{low}–{high}" for low, high in pairwise(edges)), f"≥{edges[-1]}"]


def _banded(value: Fraction, edges: Sequence[str]) -> str:
    return bands_of(edges)[sum(Fraction(edge) <= value for edge in edges)]


def _wanted(rule: Rule, rows: Rows) -> tuple[int, int]:
    found = [item.value in rule["wanted"] for item in _window(rule, rows, _category(rule))]
    return sum(found), len(found)


def _by_period(rule: Rule, rows: Rows, read: Read[T]) -> list[Dated[T]]:
    return dated(rows, rule["order"], read, rule.get("unit"))


def _newest(rule: Rule, rows: Rows, read: Read[T]) -> T:
    return _by_period(rule, rows, read)[-1].value


def _window(rule: Rule, rows: Rows, read: Read[T]) -> list[Dated[T]]:
    return window(_by_period(rule, rows, read), rule["last"])


def _number(rule: Rule) -> Read[Fraction]:
    return lambda row, place: cells.number(row, place, rule["column"])


def _category(rule: Rule) -> Read[str]:
    return lambda row, place: cells.category(row, place, rule["column"], rule["choices"])


def _nothing(_row: Row, _place: int) -> None:
    return None


def _bad_rule(where: str, message: str) -> InvalidInput:
    return InvalidInput(
        "RULE_INVALID",
        message,
        where=where,
        hint="规则写法见 docs/scenarios.zh.md。See docs/scenarios.md for the rules.",
    )


# Payload modes; each constant below names the modes that allow a rule. A predicate gives yes or no, a count, a time, or
# one of a few choices. A component gives bands and scores. An aggregate also gives ratios and series. Only the mode for
# raw data allows a claim that repeats supplied text.
_ALL: Final = frozenset({"predicate", "component", "aggregate", "raw"})
_SAYING: Final = frozenset({"predicate", "aggregate", "raw"})
_SCORING: Final = frozenset({"component", "aggregate", "raw"})
_COUNTING: Final = frozenset({"aggregate", "raw"})
_REPEATING: Final = frozenset({"raw"})

OPS: Final[Mapping[str, Op]] = {
    "attribute": Op(
        _attribute,
        "text",
        _SAYING,
        {"of": Member(lambda value, _: value in ("name", "uscc"), " name 或 uscc", "one of: name, uscc")},
    ),
    "count_distinct": Op(_count_distinct, "integer", _SAYING, {"column": COLUMN}),
    "trend": Op(_trend, "trend", _SAYING, NEWEST | {"flat_percent": PERCENT}),
    "band": Op(_band, "band", _ALL, NEWEST | {"edges": EDGES}),
    "at_least": Op(_at_least, "boolean", _SAYING, NEWEST | {"threshold": THRESHOLD}),
    "latest": Op(_latest, "category", _SAYING, NEWEST | {"choices": CHOICES}),
    "latest_in": Op(_latest_in, "boolean", _SAYING, NEWEST | CHOSEN),
    "score": Op(_score, "integer", _SCORING, NEWEST | {"top": whole(1, 1_000)}),
    "digest": Op(_digest, "digest", _SAYING, NEWEST),
    "text": Op(_text, "text", _REPEATING, NEWEST),
    "age": Op(_age, "integer", _SAYING, {"since": COLUMN, **SPAN}),
    "last_period": Op(_last_period, "period", _SAYING, SPAN),
    "continuous": Op(_continuous, "boolean", _SAYING, SPAN | {"at_least": whole(1, MAX_LAST)}),
    "periods": Op(_periods, "integer", _SAYING, LAST),
    "first_period": Op(_first_period, "period", _SAYING, LAST),
    "total_band": Op(_total_band, "band", _ALL, {"column": COLUMN, **LAST, "edges": EDGES}),
    "any_in": Op(_any_in, "boolean", _SAYING, {"column": COLUMN, **LAST, **CHOSEN}),
    "worst": Op(_worst, "category", _SAYING, {"column": COLUMN, **LAST, "choices": CHOICES}),
    "share_percent": Op(_share_percent, "integer", _COUNTING, {"column": COLUMN, **LAST, **CHOSEN}),
    "share_at_least": Op(_share_at_least, "boolean", _SAYING, {"column": COLUMN, **LAST, **CHOSEN, "percent": PERCENT}),
    "series": Op(_series, "series", _COUNTING, SERIES),
    "index_series": Op(_index_series, "index", _COUNTING, SERIES),
}
TYPES: Final = tuple(sorted({op.type for op in OPS.values()}))
