"""Builds findings about damage: a row or counter contradicts the entries, keys or chain data from which it was
computed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ledger.domain.findings import Finding
from ledger.store.tables import Base


def record_damaged(table: str, key: str, columns: list[str]) -> Finding:
    """Return the finding for a row that contradicts its log entry, its key or the chain."""
    return Finding(
        "RECORD_DAMAGED",
        f"A row of the table {table} differs from its source in: {', '.join(columns)}.",
        f"{table} {key}",
        "Another program changed the database. Restore it with `pingzheng restore`.",
        {"columns": columns},
    )


def counter_differs(name: str, value: int, expected: int) -> Finding:
    """Return the finding for a counter that would repeat or skip numbers."""
    return Finding(
        "COUNTER_DIFFERS",
        f"The counter {name} has the value {value}, but its rows require {expected}.",
        f"counter {name}",
        "Another program changed the database. Restore it with `pingzheng restore`.",
        {"value": value, "expected": expected},
    )


def differing(row: Base, stated: Mapping[str, Any], repeated: Mapping[str, str]) -> list[str]:
    """Return the columns that differ from the entry; ``repeated`` maps each column to the member of the entry that must
    have the same value.
    """
    return [column for column, member in repeated.items() if getattr(row, column) != stated.get(member)]
