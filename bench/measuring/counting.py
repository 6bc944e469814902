"""Counts the calls of a stage to the database and to the node. Counting costs time, so a stage is not timed in the pass
that counts its calls.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from http.client import HTTPConnection
from typing import Any

from sqlalchemy import Engine, event


@dataclass
class Counts:
    """SQL statements, write transactions, and HTTP requests to the node (one may contain many calls)."""

    queries: int = 0
    transactions: int = 0
    node_calls: int = 0

    def per_thousand(self, items: int) -> dict[str, int]:
        """Return the counts divided by ``items`` and multiplied by a thousand."""
        return {name: round(value * 1_000 / items) for name, value in asdict(self).items()}


@contextmanager
def counted(engine: Engine) -> Iterator[Counts]:
    """Count each SQL statement through ``engine`` and each HTTP request of this process until the end of the block."""
    counts = Counts()

    def before(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.startswith("BEGIN"):
            counts.transactions += statement.startswith("BEGIN IMMEDIATE")
        else:
            counts.queries += 1

    original = HTTPConnection.putrequest

    def put(self: HTTPConnection, *arguments: Any, **options: Any) -> None:
        counts.node_calls += 1
        original(self, *arguments, **options)

    event.listen(engine, "before_cursor_execute", before)
    HTTPConnection.putrequest = put  # type: ignore[method-assign]
    try:
        yield counts
    finally:
        HTTPConnection.putrequest = original  # type: ignore[method-assign]
        event.remove(engine, "before_cursor_execute", before)
