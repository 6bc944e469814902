"""The data list (数据清单): each change a new version, each move recorded, nothing overwritten."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.catalogue import lookups as records
from ledger.catalogue.important_rules import ImportantData, matched_grade
from ledger.catalogue.states import RESOURCE
from ledger.catalogue.tables import (
    CatalogueResource,
    ImportantDataEntry,
    ResourceEvent,
    ResourceReview,
    ResourceVersion,
)
from ledger.domain.assets.identity import document_digest
from ledger.domain.days import Clock
from ledger.domain.reasons import checked_reason
from ledger.domain.resource import DataResource, check_digest, check_registrable, check_resource, diff
from ledger.errors import Conflict, Forbidden, InvalidInput
from ledger.parties.permissions import Action, allowed
from ledger.parties.roles import Actor, require
from ledger.store.database import Database


@dataclass(frozen=True, slots=True)
class Change:
    """What putting a description means: ``verdict`` is ``new``, ``new_version`` or ``unchanged``."""

    verdict: str
    version: int
    changes: tuple[dict[str, Any], ...]


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

    def submit(self, actor: Actor, code: str) -> CatalogueResource:
        """Hand the newest version in for signature; what matches the important-data list is blocked instead.

        Raises ``Conflict`` ``GRADE_CORE`` for core data, which stays a draft.
        """
        with self._database.write() as session:
            row = records.resource(session, code, lock=True)
            require(actor, Action.EDIT_RESOURCE, owns=row.provider == actor.party)
            require_provider(row, actor.party)
            resource = current(session, row)
            if resource.grade == "core":
                check_registrable(resource, reviewed=True)
            move(session, row, "submit", actor.party, self._clock())
            grade, kinds = matched(session, resource)
            if grade == "core" or (grade == "important" and not records.reviewed(session, code, row.version)):
                reason = f"{grade}: {', '.join(kinds) or 'graded so by its provider'}"
                move(session, row, "block", actor.party, self._clock(), reason)
            return row

    def record_review(self, actor: Actor, code: str, report_digest: str) -> CatalogueResource:
        """Record the review of the newest version of important data; a block for it is lifted.

        Raises ``Conflict`` ``GRADE_CORE`` for what is or matches core data, ``Forbidden`` ``REVIEWER_IS_PROVIDER``.
        """
        require(actor, Action.GRADE)
        check_digest(report_digest, "report_digest")
        now = self._clock()
        with self._database.write() as session:
            row = records.resource(session, code, lock=True)
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
            if not records.reviewed(session, code, row.version):
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
            return row

    def block(self, actor: Actor, code: str, reason: str) -> CatalogueResource:
        """Take a resource off every list until a review lifts it."""
        require(actor, Action.GRADE)
        return self._move(actor, code, "block", reason)

    def retire(self, actor: Actor, code: str, reason: str) -> CatalogueResource:
        """End the entry for good; its versions stay."""
        with self._database.read() as session:
            row = records.resource(session, code)
        require(actor, Action.EDIT_RESOURCE, owns=row.provider == actor.party)
        require_provider(row, actor.party)
        return self._move(actor, code, "retire", reason)

    def _move(self, actor: Actor, code: str, name: str, reason: str) -> CatalogueResource:
        with self._database.write() as session:
            row = records.resource(session, code, lock=True)
            move(session, row, name, actor.party, self._clock(), checked_reason(reason))
            return row

    def registrable(self, code: str, version: int | None = None) -> DataResource:
        """The published description, if it may be registered.

        Raises ``Conflict``: ``NOT_PUBLISHED``, ``GRADE_CORE``, ``REVIEW_REQUIRED``.
        """
        with self._database.read() as session:
            row = records.resource(session, code)
            shown = row.published_version
            if shown is None or shown != (version or shown):
                raise Conflict(
                    "NOT_PUBLISHED",
                    "Only the published version of a resource can be registered.",
                    where=f"resource {code}",
                    hint="Submit it, let the chief data officer sign it, publish it.",
                )
            resource = DataResource.from_dict(records.version(session, code, shown).document)
            check_registrable(resource, reviewed=records.reviewed(session, code, shown))
            return resource

    def get(self, code: str, reader: Actor | None = None) -> dict[str, Any]:
        """An entry with its newest description; with the published one for a reader who may not see drafts."""
        with self._database.read() as session:
            row = records.resource(session, code)
            if row.published_version is None:
                require_sight(reader, row)
            version = row.version if sees_drafts(reader, row) else row.published_version or row.version
            shown = records.version(session, code, version)
            return described(row) | {
                "shown_version": version,
                "document_digest": shown.document_digest,
                "resource": shown.document,
            }

    def document(self, code: str, version: int, reader: Actor | None = None) -> dict[str, Any]:
        """The description at that version."""
        with self._database.read() as session:
            row = records.resource(session, code)
            if version != row.published_version:
                require_sight(reader, row)
            return records.version(session, code, version).document

    def history(self, code: str, reader: Actor | None = None) -> list[dict[str, Any]]:
        """Every move of the resource, oldest first."""
        with self._database.read() as session:
            require_sight(reader, records.resource(session, code))
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
    ) -> list[CatalogueResource]:
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
            return list(session.scalars(query))


def planned(session: Session, provider: str, resource: DataResource) -> Change:
    """What putting this description would do; writes nothing. Raises as ``Catalogue.put`` does."""
    row = session.get(CatalogueResource, resource.code)
    standing = None if row is None else (row, records.version(session, row.code, row.version).document)
    system = resource.system if resource.system and records.system(session, resource.system) else ""
    return change_of(provider, resource, standing, {system})


def change_of(
    provider: str,
    resource: DataResource,
    standing: tuple[CatalogueResource, Mapping[str, Any]] | None,
    systems: Container[str],
) -> Change:
    """What putting a description would do where the entry stands so, with its newest document; asks no database.

    ``systems`` are those of the system list, as far as they matter here. Raises as ``Catalogue.put`` does.
    """
    check_resource(resource)
    if resource.system and resource.system not in systems:
        raise InvalidInput(
            "SYSTEM_UNKNOWN", "The system list has no such system.", where="system", hint="Enter the system first."
        )
    if standing is None:
        return Change("new", 1, ())
    row, document = standing
    require_provider(row, provider)
    changes = diff(document, resource.to_dict())
    if not changes:
        return Change("unchanged", row.version, ())
    RESOURCE.next(row.state, "edit")
    return Change("new_version", row.version + 1, tuple(changes))


def record(session: Session, provider: str, resource: DataResource, change: Change, now: int) -> None:
    """Write the version that was planned in this same transaction."""
    if change.verdict == "unchanged":
        return
    document = resource.to_dict()
    if change.verdict == "new":
        row = CatalogueResource(
            code=resource.code,
            provider=provider,
            state=RESOURCE.initial,
            version=change.version,
            published_version=None,
            created_at=now,
        )
        session.add(row)
        session.flush()
    else:
        row = records.resource(session, resource.code, lock=True)
        row.version = change.version
    session.add(
        ResourceVersion(
            code=resource.code,
            version=change.version,
            document=document,
            document_digest=document_digest(document),
            created_by=provider,
            created_at=now,
        )
    )
    move(session, row, "edit", provider, now)


def move(session: Session, row: CatalogueResource, name: str, by: str, now: int, reason: str | None = None) -> None:
    """Make a move of the state machine and record it; what is blocked or retired is published no more.

    Raises ``Conflict`` ``MOVE_NOT_ALLOWED``.
    """
    row.state = RESOURCE.next(row.state, name)
    if row.state in ("blocked", "retired"):
        row.published_version = None
    session.add(
        ResourceEvent(
            code=row.code,
            number=records.next_number(session, ResourceEvent.number, ResourceEvent.code == row.code),
            version=row.version,
            move=name,
            state=row.state,
            by=by,
            reason=reason,
            at=now,
        )
    )
    session.flush()


def current(session: Session, row: CatalogueResource) -> DataResource:
    """The newest description."""
    return DataResource.from_dict(records.version(session, row.code, row.version).document)


def matched(session: Session, resource: DataResource) -> tuple[str, Sequence[str]]:
    """The grade that the important-data list and the provider give the resource, the higher, and the kinds matched."""
    return matched_grade(resource, listed_kinds(session))


def listed_kinds(session: Session) -> list[ImportantData]:
    """The kinds of data that the important-data list names now."""
    rows = session.scalars(select(ImportantDataEntry).where(ImportantDataEntry.withdrawn_at.is_(None)))
    return [ImportantData(row.title, row.grade, row.pattern, tuple(row.fields)) for row in rows]


def require_provider(row: CatalogueResource, party: str) -> None:
    """Raise ``Forbidden`` ``NOT_THE_PROVIDER`` unless the resource is the party's own."""
    if row.provider != party:
        raise Forbidden(
            "NOT_THE_PROVIDER",
            "The resource is another provider's.",
            where=f"resource {row.code}",
            hint="Use a code of your own, or ask the provider.",
        )


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


def described(row: CatalogueResource) -> dict[str, Any]:
    """Where an entry stands."""
    return {
        "code": row.code,
        "provider": row.provider,
        "state": row.state,
        "version": row.version,
        "published_version": row.published_version,
    }
