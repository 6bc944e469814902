"""The important-data catalogue (重要数据目录) as it is kept here, and what it says of a resource."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import select, update
from sqlalchemy.orm import Session
from ulid import ULID

from ledger.domain.important import ImportantData, check_important, matched_grade
from ledger.domain.permissions import Action
from ledger.domain.resource import DataResource
from ledger.errors import NotFound
from ledger.service.parties import Actor
from ledger.service.roles import require
from ledger.store.catalogue_tables import ImportantDataEntry
from ledger.store.database import Database


class ImportantDataList:
    """Entries that block what matches them; withdrawn ones stay on record."""

    def __init__(self, database: Database, clock: Callable[[], int]) -> None:
        self._database = database
        self._clock = clock

    def add(self, actor: Actor, entry: ImportantData) -> ImportantDataEntry:
        """List a kind of data; raises ``InvalidInput`` ``IMPORTANT_ENTRY``."""
        require(actor, Action.GRADE)
        check_important(entry)
        row = ImportantDataEntry(
            id=str(ULID()),
            title=entry.title,
            grade=entry.grade,
            pattern=entry.pattern,
            fields=list(entry.fields),
            created_by=actor.party,
            created_at=self._clock(),
            withdrawn_at=None,
        )
        with self._database.write() as session:
            session.add(row)
        return row

    def withdraw(self, actor: Actor, identifier: str) -> None:
        """Take an entry off the list; raises ``NotFound`` ``IMPORTANT_ENTRY_UNKNOWN``."""
        require(actor, Action.GRADE)
        with self._database.write() as session:
            if session.get(ImportantDataEntry, identifier) is None:
                raise NotFound("IMPORTANT_ENTRY_UNKNOWN", "The important-data list has no such entry.")
            session.execute(
                update(ImportantDataEntry)
                .where(ImportantDataEntry.id == identifier, ImportantDataEntry.withdrawn_at.is_(None))
                .values(withdrawn_at=self._clock())
            )

    def all(self) -> list[ImportantDataEntry]:
        """Every entry, withdrawn ones too, by id."""
        with self._database.read() as session:
            return list(session.scalars(select(ImportantDataEntry).order_by(ImportantDataEntry.id)))


def matched(session: Session, resource: DataResource) -> tuple[str, Sequence[str]]:
    """The grade that the list in force and the provider give the resource, the higher, and the kinds it matches."""
    rows = session.scalars(select(ImportantDataEntry).where(ImportantDataEntry.withdrawn_at.is_(None)))
    kinds = [ImportantData(row.title, row.grade, row.pattern, tuple(row.fields)) for row in rows]
    return matched_grade(resource, kinds)
