"""Collect the rows that belong to batches: the rows that log entries name, and the rows to which those rows refer.

One SQL statement queries many rows of a table, so the number of statements does not grow with the number of entries.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, ForeignKeyConstraint, Table, select, tuple_
from sqlalchemy.orm import Session

from ledger.catalogue.tables import Publication, ResourceEvent, ResourceVersion
from ledger.certificates.tables import Certificate, Presentation
from ledger.domain.entries import referred
from ledger.installation.tables import METADATA, names_from
from ledger.log.tables import AdoptedEntry
from ledger.parties.tables import Mandate, PartyKey
from ledger.registration.tables import ActDocument, Application
from ledger.store.erasure_tables import ErasureRecord
from ledger.store.tables import Base, Batch, Entry, Source
from ledger.usage.tables import AccessRequest, Authorization, Provision, SeenClaim

# The maximum number of parameters in one SQL statement. SQLite and PostgreSQL allow more.
MAX_VALUES: Final = 10_000

Row = dict[str, Any]
Key = tuple[Any, ...]


def table_of(declared: type[Base]) -> Table:
    """Return the table of an ORM class."""
    return METADATA.tables[declared.__tablename__]


_NAMED_BY_DIGEST: Final = [
    table_of(each) for each in (AccessRequest, Authorization, Provision, Certificate, Publication, ErasureRecord)
]
# A row that a log entry names may have further rows that belong to it, as keys belong to a party. For each table whose
# rows are named in entries, this map has the columns of other tables that refer to such a row.
_PARTS: Final[Mapping[str, Sequence[Column[Any]]]] = {
    "party": [table_of(PartyKey).c.party_id, table_of(Mandate).c.principal],
    "access_request": [table_of(SeenClaim).c.request_id],
    "registration": [table_of(Application).c.asset_id, table_of(ActDocument).c.asset_id],
    "catalogue_resource": [table_of(ResourceVersion).c.code, table_of(ResourceEvent).c.code],
    "entry": [table_of(AdoptedEntry).c.seq],
}
# The dated tables. The chain holds digests of their rows, but perhaps no log entry will ever name these rows. So the
# rows are archived as soon as they exist.
DATED: Final = [METADATA.tables[name] for name in names_from(Source.DATED)]


class Closure:
    """A set of database rows. ``complete`` adds the rows to which the rows of the set refer. ``session`` reads the
    database.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._rows: dict[Table, dict[Key, Row]] = defaultdict(dict)

    def add_batches(self, numbers: Sequence[int]) -> None:
        """Add the batches with their entries, and the rows that these entries name."""
        batch, entry = table_of(Batch), table_of(Entry)
        self._add_where(batch, batch.c.number, numbers)
        entries = self._add_where(entry, entry.c.batch, numbers)
        stated = [json.loads(row["body"]) for row in entries]
        named = {row["digest"] for row in entries} | {digest for each in stated for digest in referred(each)}
        for table in _NAMED_BY_DIGEST:
            self._add_where(table, table.c.digest, named)
        presentation = table_of(Presentation)
        self._add_where(presentation, presentation.c.id, [each["id"] for each in stated if "id" in each])

    def add_since(self, table: Table, time: int) -> None:
        """Add the rows of a dated table that were created at ``time`` (seconds UTC) or later."""
        query = select(table).where(table.c.created_at >= time)
        self.add(table, (dict(row) for row in self._session.execute(query).mappings()))

    def add_keys_since(self, time: int) -> None:
        """Add the parties' keys that the chain bound at ``time`` (seconds UTC) or later, or has not bound yet."""
        key = table_of(PartyKey)
        query = select(key).where((key.c.bound_at >= time) | key.c.bound_at.is_(None))
        self.add(key, (dict(row) for row in self._session.execute(query).mappings()))

    def add_after(self, table: Table, last: tuple[int, str], limit: int) -> tuple[int, str] | None:
        """Add the next ``limit`` rows of a dated table, which follow the row whose time and key are ``last``.

        Returns time and key of the last added row, or None if there are no more rows.
        """
        (key,) = table.primary_key
        order = tuple_(table.c.created_at, key)
        query = select(table).where(order > last).order_by(table.c.created_at, key).limit(limit)
        found = self.add(table, (dict(row) for row in self._session.execute(query).mappings()))
        return (found[-1]["created_at"], found[-1][key.name]) if len(found) == limit else None

    def add(self, table: Table, rows: Iterable[Row]) -> list[Row]:
        """Add rows of a table, and return the rows that are new in this set."""
        known, fresh = self._rows[table], []
        for row in rows:
            key = tuple(row[column.name] for column in table.primary_key)
            if key not in known:
                known[key] = row
                fresh.append(row)
        return fresh

    def complete(self) -> dict[Table, list[Row]]:
        """Add to this set the rows to which its rows refer and the rows that belong to its rows, and return all rows of
        the set.

        Each table comes after the tables that it refers to.
        """
        fresh = {table: list(rows.values()) for table, rows in self._rows.items()}
        while any(fresh.values()):
            fresh = self._next(fresh)
        return {table: list(self._rows[table].values()) for table in METADATA.sorted_tables if self._rows[table]}

    def _next(self, fresh: Mapping[Table, Sequence[Row]]) -> dict[Table, list[Row]]:
        wanted: dict[tuple[Column[Any], ...], set[Key]] = defaultdict(set)
        for table, rows in fresh.items():
            for constraint in table.foreign_key_constraints:
                wanted[_referred_columns(constraint)] |= self._missing(constraint, rows)
            for part in _PARTS.get(table.name, ()):
                (key,) = table.primary_key
                wanted[(part,)] |= {(row[key.name],) for row in rows}
        found: dict[Table, list[Row]] = defaultdict(list)
        for columns, keys in wanted.items():
            found[columns[0].table] += self._add_where(columns[0].table, _together(columns), _flat(keys))
        return found

    def _missing(self, constraint: ForeignKeyConstraint, rows: Iterable[Row]) -> set[Key]:
        """Return the values of this foreign key that refer to rows outside this set."""
        names = [element.parent.name for element in constraint.elements]
        keys = {tuple(row[name] for name in names) for row in rows}
        return {key for key in keys if None not in key} - self._rows[constraint.referred_table].keys()

    def _add_where(self, table: Table, column: ColumnElement[Any], values: Iterable[Any]) -> list[Row]:
        asked, found = list(values), []
        for start in range(0, len(asked), MAX_VALUES):
            query = select(table).where(column.in_(asked[start : start + MAX_VALUES]))
            found += self.add(table, (dict(row) for row in self._session.execute(query).mappings()))
        return found


def _referred_columns(constraint: ForeignKeyConstraint) -> tuple[Column[Any], ...]:
    # In this schema a foreign key always refers to the whole primary key, in its order.
    return tuple(element.column for element in constraint.elements)


def _together(columns: Sequence[Column[Any]]) -> ColumnElement[Any]:
    return columns[0] if len(columns) == 1 else tuple_(*columns)


def _flat(keys: Iterable[Key]) -> list[Any]:
    return [key[0] if len(key) == 1 else key for key in keys]
