"""The data list (数据清单): each change a new version, each move recorded, nothing overwritten."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import select

from ledger.catalogue import lookups
from ledger.catalogue.entry_history import Change, current, move, planned, record, require_provider
from ledger.catalogue.lookups import matched
from ledger.catalogue.tables import CatalogueResource, ResourceEvent, ResourceReview
from ledger.domain.days import Clock
from ledger.domain.reasons import checked_reason
from ledger.domain.resource import DataResource, check_digest, check_registrable, diff
from ledger.errors import Conflict, Forbidden
from ledger.parties.permissions import Action, allowed
from ledger.parties.roles import Actor, require
from ledger.store.database import Database


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """Where an entry stands: its state, its newest version, the one published."""

    code: str
    provider: str
    state: str
    version: int
    published_version: int | None

    @classmethod
    def of(cls, row: CatalogueResource) -> CatalogueEntry:
        """The value of a row."""
        return cls(row.code, row.provider, row.state, row.version, row.published_version)


class Catalogue:
    """Resources from draft to publication; the chief data officer's signature is ``Publications``'."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def put(self, actor: Actor, resource: DataResource) -> Change:
        """Record the description as the next version; the same description again records nothing.

        Raises ``InvalidInput`` (rules of the data model), ``Forbidden`` ``NOT_THE_PROVIDER``, ``Conflict``
        ``MOVE_NOT_ALLOWED`` once it is retired.
        """
        require(actor, Action.EDIT_RESOURCE, owns=True)
        with self._database.write() as session:
            change = planned(session, actor.party, resource)
            record(session, actor.party, resource, change, self._clock())
        return change

    def submit(self, actor: Actor, code: str) -> CatalogueEntry:
        """Hand the newest version in for signature; what matches the important-data list is blocked instead.

        Raises ``Conflict`` ``GRADE_CORE`` for core data, which stays a draft.
        """
        with self._database.write() as session:
            row = lookups.resource(session, code, lock=True)
            require(actor, Action.EDIT_RESOURCE, owns=row.provider == actor.party)
            require_provider(row, actor.party)
            resource = current(session, row)
            if resource.grade == "core":
                check_registrable(resource, reviewed=True)
            move(session, row, "submit", actor.party, self._clock())
            grade, kinds = matched(session, resource)
            if grade == "core" or (grade == "important" and not lookups.reviewed(session, code, row.version)):
                reason = f"{grade}: {', '.join(kinds) or 'graded so by its provider'}"
                move(session, row, "block", actor.party, self._clock(), reason)
            return CatalogueEntry.of(row)

    def record_review(self, actor: Actor, code: str, report_digest: str) -> CatalogueEntry:
        """Record the review of the newest version of important data; a block for it is lifted.

        Raises ``Conflict`` ``GRADE_CORE`` for what is or matches core data, ``Forbidden`` ``REVIEWER_IS_PROVIDER``.
        """
        require(actor, Action.GRADE)
        check_digest(report_digest, "report_digest")
        now = self._clock()
        with self._database.write() as session:
            row = lookups.resource(session, code, lock=True)
            if row.provider == actor.party:
                raise Forbidden("REVIEWER_IS_PROVIDER", "Nobody reviews data of its own.", where=code)
            grade, kinds = matched(session, current(session, row))
            if grade == "core":
                raise Conflict(
                    "GRADE_CORE",
                    "Core data stays blocked; no review lifts that.",
                    where=code,
                    hint=f"Matched: {', '.join(kinds) or 'its own grade'}.",
                )
            if not lookups.reviewed(session, code, row.version):
                session.add(
                    ResourceReview(
                        code=code,
                        version=row.version,
                        reviewer=actor.party,
                        report_digest=report_digest,
                        created_at=now,
                    )
                )
            if row.state == "blocked":
                move(session, row, "lift", actor.party, now)
            return CatalogueEntry.of(row)

    def block(self, actor: Actor, code: str, reason: str) -> CatalogueEntry:
        """Take a resource off every list until a review lifts it."""
        require(actor, Action.GRADE)
        return self._move(actor, code, "block", reason)

    def retire(self, actor: Actor, code: str, reason: str) -> CatalogueEntry:
        """End the entry for good; its versions stay."""
        with self._database.read() as session:
            row = lookups.resource(session, code)
        require(actor, Action.EDIT_RESOURCE, owns=row.provider == actor.party)
        require_provider(row, actor.party)
        return self._move(actor, code, "retire", reason)

    def _move(self, actor: Actor, code: str, name: str, reason: str) -> CatalogueEntry:
        with self._database.write() as session:
            row = lookups.resource(session, code, lock=True)
            move(session, row, name, actor.party, self._clock(), checked_reason(reason))
            return CatalogueEntry.of(row)

    def registrable(self, code: str, version: int | None = None) -> DataResource:
        """The published description, if it may be registered.

        Raises ``Conflict``: ``NOT_PUBLISHED``, ``GRADE_CORE``, ``REVIEW_REQUIRED``.
        """
        with self._database.read() as session:
            row = lookups.resource(session, code)
            shown = row.published_version
            if shown is None or shown != (version or shown):
                raise Conflict(
                    "NOT_PUBLISHED",
                    "Only the published version of a resource can be registered.",
                    where=f"resource {code}",
                    hint="Submit it, let the chief data officer sign it, publish it.",
                )
            resource = DataResource.from_dict(lookups.version(session, code, shown).document)
            check_registrable(resource, reviewed=lookups.reviewed(session, code, shown))
            return resource

    def get(self, code: str, reader: Actor | None = None) -> dict[str, Any]:
        """An entry with its newest description; with the published one for a reader who may not see drafts."""
        with self._database.read() as session:
            row = lookups.resource(session, code)
            if row.published_version is None:
                require_sight(reader, row)
            version = row.version if sees_drafts(reader, row) else row.published_version or row.version
            shown = lookups.version(session, code, version)
            return asdict(CatalogueEntry.of(row)) | {
                "shown_version": version,
                "document_digest": shown.document_digest,
                "resource": shown.document,
            }

    def document(self, code: str, version: int, reader: Actor | None = None) -> dict[str, Any]:
        """The description at that version."""
        with self._database.read() as session:
            row = lookups.resource(session, code)
            if version != row.published_version:
                require_sight(reader, row)
            return lookups.version(session, code, version).document

    def history(self, code: str, reader: Actor | None = None) -> list[dict[str, Any]]:
        """Every move of the resource, oldest first."""
        with self._database.read() as session:
            require_sight(reader, lookups.resource(session, code))
            rows = session.scalars(
                select(ResourceEvent).where(ResourceEvent.code == code).order_by(ResourceEvent.number)
            )
            return [
                {
                    "number": row.number,
                    "version": row.version,
                    "move": row.move,
                    "state": row.state,
                    "by": row.by,
                    "reason": row.reason,
                    "at": row.at,
                }
                for row in rows
            ]

    def diff(self, code: str, old: int, new: int, reader: Actor | None = None) -> list[dict[str, Any]]:
        """What changed between two versions (see ``ledger.domain.resource.diff``)."""
        return diff(self.document(code, old, reader), self.document(code, new, reader))

    def page(
        self, after: str | None, limit: int, state: str | None = None, reader: Actor | None = None
    ) -> list[CatalogueEntry]:
        """Entries by code, keyset paged; those that the reader may see."""
        query = select(CatalogueResource).order_by(CatalogueResource.code).limit(limit)
        if after:
            query = query.where(CatalogueResource.code > after)
        if state:
            query = query.where(CatalogueResource.state == state)
        if reader is not None and not allowed(Action.EDIT_RESOURCE, reader.roles, reads=True):
            own = CatalogueResource.provider == reader.party
            query = query.where(CatalogueResource.published_version.is_not(None) | own)
        with self._database.read() as session:
            return [CatalogueEntry.of(row) for row in session.scalars(query)]


def sees_drafts(reader: Actor | None, row: CatalogueResource) -> bool:
    """Whether the reader sees what is not published; without a reader it is the operator's own command line."""
    return reader is None or row.provider == reader.party or allowed(Action.EDIT_RESOURCE, reader.roles, reads=True)


def require_sight(reader: Actor | None, row: CatalogueResource) -> None:
    """Raise ``Forbidden`` ``NOT_PUBLISHED_TO_YOU`` unless the reader sees drafts of the resource."""
    if not sees_drafts(reader, row):
        raise Forbidden(
            "NOT_PUBLISHED_TO_YOU",
            "What is not published is shown to its provider and to those who approve it.",
            where=f"resource {row.code}",
            hint="Read the published version, or ask the provider.",
        )
