"""Reads and writes the rows of a whole set in a few SQL statements, however many rows the set has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar, cast

from sqlalchemy import ColumnElement, Row, Select, Table, Update, insert
from sqlalchemy.orm import InstrumentedAttribute, Session

from ledger.store.tables import Base

T = TypeVar("T")
VALUES_PER_QUERY: Final = 10_000
"""The most values in one SQL query; SQLite accepts 32,766."""


def matching(
    session: Session,
    query: Select[*tuple[Any, ...]],
    column: ColumnElement[Any] | InstrumentedAttribute[Any],
    values: Iterable[Any],
) -> Iterator[Row[*tuple[Any, ...]]]:
    """Yield those rows of the query in which the column has one of the values. Equal values are asked for once.

    At most ``VALUES_PER_QUERY`` values are in one SQL query. The query's order holds only among the rows of one query.
    """
    for some in _parts(values):
        yield from session.execute(query.where(column.in_(some)))


def change_rows(session: Session, change: Update, column: InstrumentedAttribute[Any], values: Iterable[Any]) -> None:
    """Change the rows in which the column has one of the values. The caller's transaction writes the changes."""
    for some in _parts(values):
        session.connection().execute(change.where(column.in_(some)))


def _parts(values: Iterable[Any]) -> Iterator[list[Any]]:
    wanted = list(dict.fromkeys(values))
    for start in range(0, len(wanted), VALUES_PER_QUERY):
        yield wanted[start : start + VALUES_PER_QUERY]


def add_rows(session: Session, table: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Add the rows with one SQL statement; each row maps names of columns to values.

    The caller's transaction writes the rows.
    """
    if rows:
        session.connection().execute(insert(cast(Table, table.__table__)), rows)


def portions(items: Sequence[T], size: int) -> list[Sequence[T]]:
    """Split items into portions of at most ``size`` items, for example to write each portion in a transaction of its
    own.
    """
    return [items[start : start + size] for start in range(0, len(items), size)]
