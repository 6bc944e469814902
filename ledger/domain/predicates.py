"""Claims computed from supplied rows: the only place that does it. Decimal arithmetic, results are text or integers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from typing import Any, Final

from ledger.errors import InvalidInput

Rows = Sequence[Mapping[str, str]]
Rule = Mapping[str, Any]
Claim = str | int | bool

# Beyond any quantity, and far below the exponents at which decimal arithmetic overflows.
_NUMBER: Final = re.compile(r"-?\d{1,30}(\.\d{1,30})?", re.ASCII)


def compute(rule: Rule, rows: Rows, attributes: Mapping[str, str]) -> Claim:
    """The claim that ``rule`` makes of ``rows`` and of the subject's ``attributes``.

    Raises ``InvalidInput`` ``ROW_VALUE_INVALID`` naming row and column, ``ROWS_MISSING`` when there is none.
    """
    return _RULES[rule["op"]](rule, rows, attributes)


def check_rule(rule: Any, where: str) -> None:
    """Raise ``InvalidInput`` ``RULE_INVALID`` unless ``rule`` can be computed."""
    op = rule.get("op") if isinstance(rule, dict) else None
    members = _MEMBERS.get(op) if isinstance(op, str) else None
    if members is None:
        raise _bad_rule(where, f"A rule's op is one of: {', '.join(sorted(_MEMBERS))}.")
    if rule.keys() - {"op"} != members.keys():
        raise _bad_rule(where, f"The rule {rule['op']} takes exactly: {', '.join(sorted(members))}.")
    for name, fits in members.items():
        if not fits(rule[name]):
            raise _bad_rule(f"{where}.{name}", "The value does not fit.")


def _attribute(rule: Rule, _rows: Rows, attributes: Mapping[str, str]) -> Claim:
    return attributes[rule["of"]]


def _count(rule: Rule, rows: Rows, _attributes: Mapping[str, str]) -> Claim:
    return len({_cell(row, place, rule["column"]) for place, row in enumerate(rows, start=1)})


def _trend(rule: Rule, rows: Rows, _attributes: Mapping[str, str]) -> Claim:
    series = _series(rule, rows)
    first, last = series[0], series[-1]
    tolerance = abs(first) * rule["flat_percent"] / 100
    if abs(last - first) <= tolerance:
        return "stable"
    return "rising" if last > first else "falling"


def _band(rule: Rule, rows: Rows, _attributes: Mapping[str, str]) -> Claim:
    value = _series(rule, rows)[-1]
    edges = [Decimal(edge) for edge in rule["edges"]]
    if value < edges[0]:
        return f"<{rule['edges'][0]}"
    for low, high in pairwise(rule["edges"]):
        if value < Decimal(high):
            return f"{low}–{high}"
    return f"≥{rule['edges'][-1]}"


def _at_least(rule: Rule, rows: Rows, _attributes: Mapping[str, str]) -> Claim:
    return bool(_series(rule, rows)[-1] >= Decimal(rule["threshold"]))


def _series(rule: Rule, rows: Rows) -> list[Decimal]:
    if not rows:
        raise InvalidInput("ROWS_MISSING", "There is no row to compute a claim from.")
    ordered = sorted(
        (_decimal(row, place, rule["order"]), _decimal(row, place, rule["column"]))
        for place, row in enumerate(rows, start=1)
    )
    return [value for _, value in ordered]


def _cell(row: Mapping[str, str], place: int, column: str) -> str:
    if column not in row:
        raise InvalidInput("ROW_COLUMN_MISSING", f"The row lacks the column {column}.", where=f"row {place}")
    if not row[column].strip():
        raise InvalidInput("ROW_VALUE_INVALID", f"The value of {column} is blank.", where=f"row {place}")
    return row[column]


def _decimal(row: Mapping[str, str], place: int, column: str) -> Decimal:
    text = _cell(row, place, column)
    # ASCII only: Python would read full-width digits and underscores as a number.
    if not _NUMBER.fullmatch(text):
        raise InvalidInput(
            "ROW_VALUE_INVALID",
            f"The value of {column} is not a number.",
            where=f"row {place}",
            hint="Write it in ASCII digits, with a point if it has a fraction.",
        )
    return Decimal(text)


def _bad_rule(where: str, message: str) -> InvalidInput:
    return InvalidInput("RULE_INVALID", message, where=where)


def _is_column(value: Any) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= 64


def _is_decimal(value: Any) -> bool:
    try:
        return isinstance(value, str) and Decimal(value).is_finite()
    except InvalidOperation:
        return False


def _are_edges(value: Any) -> bool:
    if not isinstance(value, list) or not 1 <= len(value) <= 20 or not all(map(_is_decimal, value)):
        return False
    edges = [Decimal(edge) for edge in value]
    return edges == sorted(set(edges))


def _is_percent(value: Any) -> bool:
    return type(value) is int and 0 <= value <= 100


_RULES: Final[Mapping[str, Callable[[Rule, Rows, Mapping[str, str]], Claim]]] = {
    "attribute": _attribute,
    "count_distinct": _count,
    "trend": _trend,
    "band": _band,
    "at_least": _at_least,
}
_MEMBERS: Final[Mapping[Any, Mapping[str, Callable[[Any], bool]]]] = {
    "attribute": {"of": lambda value: value in ("name", "uscc")},
    "count_distinct": {"column": _is_column},
    "trend": {"column": _is_column, "order": _is_column, "flat_percent": _is_percent},
    "band": {"column": _is_column, "order": _is_column, "edges": _are_edges},
    "at_least": {"column": _is_column, "order": _is_column, "threshold": _is_decimal},
}
