"""Rows of an enterprise by month, and the claim or the refusal that a rule gives for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ledger.domain.rules.predicates import compute
from tests.support.sample_rules import RULES

ATTRIBUTES = {"name": "湛江某公司", "uscc": "91440802MA9X00011Y"}


def month(number: int) -> str:
    """Return a month counted from November 2025: 0 is 202511."""
    return f"{2025 + (number + 10) // 12}{(number + 10) % 12 + 1:02d}"


def rows_of(column: str, values: Sequence[str]) -> list[dict[str, str]]:
    """Return a row for each month; for the value "" the month has no row."""
    return [{"month": month(number), column: value} for number, value in enumerate(values) if value]


def claim(op: str, column: str, values: Sequence[str], **members: Any) -> Any:
    return compute(RULES[op] | members, rows_of(column, values), ATTRIBUTES)


G, M, B = "good", "mended", "bad"
