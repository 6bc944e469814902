"""The important-data catalogue (重要数据目录): resources that match an entry are blocked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session
from ulid import ULID

from ledger.catalogue import lookups
from ledger.catalogue.entry_history import move
from ledger.catalogue.important_rules import ImportantData, check_important
from ledger.catalogue.tables import CatalogueResource, ImportantDataEntry
from ledger.catalogue.use_case import UseCase
from ledger.domain.resource import DataResource
from ledger.errors import NotFound
from ledger.parties.permissions import Action
from ledger.parties.roles import Actor, require

# A resource in one of these states is known to other parties, or will soon be known to them. If a new entry of the
# important-data list matches such a resource, the entry blocks the resource.
EXPOSED: Final = ("submitted", "cdo_signed", "published", "changed")


@dataclass(frozen=True, slots=True)
class ListedKind:
    """An entry of the important-data list: a kind of data, and whether the entry was withdrawn."""

    id: str
    title: str
    grade: str
    pattern: str
    fields: list[str]
    withdrawn: bool

    @classmethod
    def of(cls, row: ImportantDataEntry) -> ListedKind:
        return cls(row.id, row.title, row.grade, row.pattern, row.fields, row.withdrawn_at is not None)


@dataclass(frozen=True, slots=True)
class Listed:
    """A new entry of the important-data list, and the codes of the resources that this entry blocked."""

    entry: ListedKind
    blocked: tuple[str, ...]


class ImportantDataList(UseCase):
    """Keeps the important-data list. An entry blocks the resources that match it. Withdrawn entries stay recorded."""

    def add(self, actor: Actor, entry: ImportantData) -> Listed:
        """Add a kind of data to the list, and block the resources of the data list that match it. Raises
        ``InvalidInput``.
        """
        require(actor, Action.GRADE)
        check_important(entry)
        now = self._clock()
        row = ImportantDataEntry(
            **asdict(entry) | {"fields": list(entry.fields)},
            id=str(ULID()),
            created_by=actor.party,
            created_at=now,
            withdrawn_at=None,
        )
        with self._database.write() as session:
            session.add(row)
            return Listed(ListedKind.of(row), tuple(self._block_matching(session, actor, entry, now)))

    def withdraw(self, actor: Actor, identifier: str) -> None:
        """Withdraw an entry. Raises ``NotFound`` ``IMPORTANT_ENTRY_UNKNOWN``."""
        require(actor, Action.GRADE)
        with self._database.write() as session:
            if session.get(ImportantDataEntry, identifier) is None:
                raise NotFound("IMPORTANT_ENTRY_UNKNOWN", "The important-data list has no such entry.")
            session.execute(
                update(ImportantDataEntry)
                .where(ImportantDataEntry.id == identifier, ImportantDataEntry.withdrawn_at.is_(None))
                .values(withdrawn_at=self._clock())
            )

    def all(self, reader: Actor | None = None) -> list[ListedKind]:
        """Return every entry, including withdrawn entries, ordered by id. Only parties that grade or assess data may
        see the entries.

        ``reader`` is None if the operator asks on the command line; the operator may see everything.
        """
        if reader is not None:
            require(reader, Action.GRADE, owns=True, reads=True)
        with self._database.read() as session:
            rows = session.scalars(select(ImportantDataEntry).order_by(ImportantDataEntry.id))
            return [ListedKind.of(row) for row in rows]

    def _block_matching(self, session: Session, actor: Actor, entry: ImportantData, now: int) -> Iterator[str]:
        listed = select(CatalogueResource).where(CatalogueResource.state.in_(EXPOSED)).order_by(CatalogueResource.code)
        for row in session.scalars(listed.with_for_update()).all():
            if self._stops(session, entry, row):
                move(session, row, "block", actor.party, now, f"{entry.grade}: {entry.title}")
                yield row.code

    def _stops(self, session: Session, entry: ImportantData, row: CatalogueResource) -> bool:
        """Return whether the resource must be blocked: its newest or its published version matches the entry, and that
        version has no recorded review. Core data is blocked even after a review.
        """
        for number in {row.version, row.published_version or row.version}:
            resource = DataResource.from_dict(lookups.version(session, row.code, number).document)
            cleared = entry.grade != "core" and lookups.reviewed(session, row.code, number)
            if entry.matches(resource) and not cleared:
                return True
        return False
