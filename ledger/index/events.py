"""The events that the index stores, and functions that make handlers. A handler writes an event into a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Table, insert, update

# Every event names the acting party in one of these arguments (protocol §3).
_ACTORS: Final = ("by", "issuer", "consumer", "party")
_ATTRIBUTES: Final = ("block_number", "log_index", "tx_hash", "at", "by")


@dataclass(frozen=True, slots=True)
class IndexedEvent:
    """An event as a row of ``idx_events``; its arguments are exactly those on the chain."""

    block_number: int
    log_index: int
    tx_hash: str
    contract: str
    name: str
    args: Mapping[str, Any]

    @property
    def at(self) -> int:
        return int(self.args["at"])

    @property
    def by(self) -> int:
        return actor_of(self.args)


def actor_of(args: Mapping[str, Any]) -> int:
    """Return the number of the party that acted. The event's arguments contain this number."""
    return int(next(args[name] for name in _ACTORS if name in args))


class Changes:
    """The changes that a set of events makes to the computed tables in one transaction.

    New rows are collected, and one statement per table writes all of them. If a later event changes a collected row,
    the row is changed in memory. The tables are then the same as if each event had been written alone.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rows: dict[Table, list[dict[str, Any]]] = {}
        self._places: dict[tuple[Table, str, Any], dict[str, Any]] = {}

    def add(self, table: Table, row: dict[str, Any]) -> None:
        """Add a row."""
        self._rows.setdefault(table, []).append(row)
        key, *more = table.primary_key
        if not more:
            self._places[table, key.name, row[key.name]] = row

    def change(self, table: Table, key: str, value: Any, columns: Mapping[str, Any]) -> None:
        """Change the row in which the column ``key`` has the value ``value``. ``key`` is the only column of the primary
        key.
        """
        if (row := self._places.get((table, key, value))) is not None:
            row.update(columns)
        else:
            self._connection.execute(update(table).where(table.c[key] == value).values(columns))

    def write(self) -> Connection:
        """Write the collected rows, and return the connection."""
        for table, rows in self._rows.items():
            self._connection.execute(insert(table), rows)
        self._rows.clear()
        self._places.clear()
        return self._connection


Handler = Callable[[Changes, IndexedEvent], None]
Columns = Callable[[IndexedEvent], Mapping[str, Any]]


def adds(table: Table, columns: Columns = lambda _: {}) -> Handler:
    """Return a handler that inserts one row into ``table``.

    A column with the name of an attribute or argument of the event gets the value of that attribute or argument.
    ``columns`` returns the values of all other columns.
    """
    names = [column.name for column in table.c]

    def handle(changes: Changes, event: IndexedEvent) -> None:
        own = {name: getattr(event, name) for name in _ATTRIBUTES}
        values = {name: value for name, value in {**event.args, **own}.items() if name in names}
        changes.add(table, {**values, **columns(event)})

    return handle


def sets(table: Table, key: str, columns: Columns) -> Handler:
    """Return a handler that updates a row of ``table``: the row in which the column ``key`` equals the event's argument
    ``key``.
    """

    def handle(changes: Changes, event: IndexedEvent) -> None:
        changes.change(table, key, event.args[key], columns(event))

    return handle
