"""Makes an enterprise's monthly rows, and applies a rule to them: the result is a claim or a refusal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ledger.domain.rules.predicates import compute
from tests.support.sample_rules import RULES

ATTRIBUTES = {"name": "湛江某公司", "uscc": "91440802MA9X00011Y"}


def month(number: int) -> str:
    """Return the month that is ``number`` months after November 2025, as in 202511."""
    return f"{2025 + (number + 10) // 12}{(number + 10) % 12 + 1:02d}"


def rows_of(column: str, values: Sequence[str]) -> list[dict[str, str]]:
    """Return one row for each value, month by month; a month whose value is "" gets no row."""
    return [{"month": month(number), column: value} for number, value in enumerate(values) if value]


def claim(op: str, column: str, values: Sequence[str], **members: Any) -> Any:
    return compute(RULES[op] | members, rows_of(column, values), ATTRIBUTES)


G, M, B = "good", "mended", "bad"
