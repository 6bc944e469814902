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


Handler = Callable[[Connection, IndexedEvent], None]
Columns = Callable[[IndexedEvent], Mapping[str, Any]]


def adds(table: Table, columns: Columns = lambda _: {}) -> Handler:
    """Return a handler that inserts one row into ``table``.

    A column with the name of an attribute or argument of the event gets the value of that attribute or argument.
    ``columns`` returns the values of all other columns.
    """
    names = [column.name for column in table.c]

    def handle(connection: Connection, event: IndexedEvent) -> None:
        own = {name: getattr(event, name) for name in _ATTRIBUTES}
        values = {name: value for name, value in {**event.args, **own}.items() if name in names}
        connection.execute(insert(table).values({**values, **columns(event)}))

    return handle


def sets(table: Table, key: str, columns: Columns) -> Handler:
    """Return a handler that updates a row of ``table``: the row in which the column ``key`` equals the event's argument
    ``key``.
    """

    def handle(connection: Connection, event: IndexedEvent) -> None:
        connection.execute(update(table).where(table.c[key] == event.args[key]).values(columns(event)))

    return handle
