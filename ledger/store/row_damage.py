"""Rows and counters that say something else than what they were made from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ledger.domain.findings import Finding
from ledger.store.tables import Base


def record_damaged(table: str, key: str, columns: list[str]) -> Finding:
    """A row says something else than its entry, its key or the chain."""
    return Finding(
        "RECORD_DAMAGED",
        f"The row of a {table} in the database does not say what it was made from: {', '.join(columns)}.",
        f"{table} {key}",
        "The database was changed by other means. Restore it with `pingzheng restore`.",
        {"columns": columns},
    )


def counter_differs(name: str, value: int, expected: int) -> Finding:
    """A counter would give a number that was given already, or leave some out."""
    return Finding(
        "COUNTER_DIFFERS",
        f"The counter {name} of the database stands at {value}, and its rows at {expected}.",
        f"counter {name}",
        "The database was changed by other means. Restore it with `pingzheng restore`.",
        {"value": value, "expected": expected},
    )


def differing(row: Base, stated: Mapping[str, Any], repeated: Mapping[str, str]) -> list[str]:
    """The columns that do not have the value of the entry's member; ``repeated`` is column → member."""
    return [column for column, member in repeated.items() if getattr(row, column) != stated.get(member)]
