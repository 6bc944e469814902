# SPDX-License-Identifier: Apache-2.0
"""Decides which values a rule can give (protocol §6). So a yes-or-no claim, for example, cannot contain other data.

A verifier checks every disclosed value with ``fits``. Every value that ``predicates.compute`` returns fits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any, Final

from ledger.domain.codes import check_uscc
from ledger.domain.rules import supplied_rows as cells
from ledger.domain.rules.predicates import LARGEST_AGES, MAX_COUNT, MAX_INDEX, bands_of, check_rule, is_name
from ledger.domain.rules.rule_members import Rule
from ledger.errors import InvalidInput

Space = Callable[[Rule, Any], bool]


def fits(rule: Any, value: Any) -> bool:
    """Return whether ``rule`` can give ``value``. For an invalid rule, no value fits. No exception is raised."""
    return space_of(rule)(value)


def space_of(rule: Any) -> Callable[[Any], bool]:
    """Return a function that returns whether ``rule`` can give a value, as ``fits`` does. The rule is checked once."""
    try:
        check_rule(rule, "rule")
    except InvalidInput:
        return lambda _value: False
    space = SPACES[rule["op"]]
    return lambda value: space(rule, value)


def _attribute(rule: Rule, value: Any) -> bool:
    if not isinstance(value, str):
        return False
    if rule["of"] == "name":
        return is_name(value)
    try:
        return check_uscc(value) == value
    except InvalidInput:
        return False


def _integer(value: Any, low: int, high: int) -> bool:
    return type(value) is int and low <= value <= high


def _boolean(_rule: Rule, value: Any) -> bool:
    return isinstance(value, bool)


def _trend(_rule: Rule, value: Any) -> bool:
    return value in ("rising", "falling", "stable")


def _band(rule: Rule, value: Any) -> bool:
    return value in bands_of(rule["edges"])


def _category(rule: Rule, value: Any) -> bool:
    return bool(value in rule["choices"])


def _digest(_rule: Rule, value: Any) -> bool:
    return isinstance(value, str) and cells.is_digest(value)


def _line(_rule: Rule, value: Any) -> bool:
    return isinstance(value, str) and cells.is_line(value)


def _period(rule: Rule, value: Any) -> bool:
    return isinstance(value, str) and cells.ordinal_of(value, rule["unit"]) is not None


def _series(rule: Rule, value: Any, point: Callable[[Any], bool]) -> bool:
    if not isinstance(value, list) or not value:
        return False
    pairs = all(isinstance(item, list) and len(item) == 2 for item in value)
    if not pairs or not all(_period(rule, period) and point(number) for period, number in value):
        return False
    ordinals = [cells.ordinal_of(period, rule["unit"]) or 0 for period, _ in value]
    # Each period must be later than the period before it, and all must lie within ``last`` years, months or days. So
    # the series also has at most ``last`` points.
    return all(low < high for low, high in pairwise(ordinals)) and ordinals[-1] - ordinals[0] < rule["last"]


def _is_number(value: Any) -> bool:
    return isinstance(value, str) and cells.is_number(value)


SPACES: Final[Mapping[str, Space]] = {
    "attribute": _attribute,
    "count_distinct": lambda _, value: _integer(value, 1, MAX_COUNT),
    "trend": _trend,
    "band": _band,
    "at_least": _boolean,
    "latest": _category,
    "latest_in": _boolean,
    "score": lambda rule, value: _integer(value, 0, rule["top"]),
    "digest": _digest,
    "text": _line,
    "age": lambda rule, value: _integer(value, 0, LARGEST_AGES[rule["unit"]]),
    "last_period": _period,
    "continuous": _boolean,
    "periods": lambda rule, value: _integer(value, 1, rule["last"]),
    "first_period": _period,
    "total_band": _band,
    "any_in": _boolean,
    "worst": _category,
    "share_percent": lambda _, value: _integer(value, 0, 100),
    "share_at_least": _boolean,
    "series": lambda rule, value: _series(rule, value, _is_number),
    "index_series": lambda rule, value: _series(rule, value, lambda point: _integer(point, -MAX_INDEX, MAX_INDEX)),
}
"""For each op, a function that returns whether a value fits a rule; ``check_rule`` must have accepted the rule."""
