"""The data list (数据清单): each change is a new version, each step is recorded, and nothing is overwritten."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import select

from ledger.catalogue import lookups
from ledger.catalogue.entry_history import Change, current, move, require_provider
from ledger.catalogue.lookups import matched
from ledger.catalogue.staging import Known, overtaken, write_staged
from ledger.catalogue.tables import CatalogueResource, ResourceEvent, ResourceReview
from ledger.catalogue.use_case import UseCase
from ledger.domain.reasons import checked_reason
from ledger.domain.resource import DataResource, check_digest, check_registrable, diff
from ledger.errors import Conflict, Forbidden
from ledger.parties.permissions import Action, allowed
from ledger.parties.roles import Actor, require


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """An entry of the data list: its state, the number of its newest version, and the number of its published
    version.
    """

    code: str
    provider: str
    state: str
    version: int
    published_version: int | None

    @classmethod
    def of(cls, row: CatalogueResource) -> CatalogueEntry:
        return cls(row.code, row.provider, row.state, row.version, row.published_version)


class Catalogue(UseCase):
    """Takes resources from draft to publication. ``Publications`` handles the chief data officer's signature."""

    def put(self, actor: Actor, resource: DataResource) -> Change:
        """Record the description of a resource as its next version. If the description has not changed, nothing is
        recorded.

        Raises ``InvalidInput`` if the description breaks a rule of the data model, ``Forbidden`` ``NOT_THE_PROVIDER``,
        and ``Conflict`` ``MOVE_NOT_ALLOWED`` if the resource is retired.
        """
        require(actor, Action.EDIT_RESOURCE, owns=True)
        with self._database.write() as session:
            staged = Known(session, [resource.code], [resource.system]).staged(actor.party, resource)
            if not write_staged(session, actor.party, [staged], self._clock()):
                raise overtaken()
        return staged.change

    def submit(self, actor: Actor, code: str) -> CatalogueEntry:
        """Submit the newest version of a resource, so that the chief data officer can sign this version. A resource
        that matches the important-data list is blocked instead.

        Raises ``Conflict`` ``GRADE_CORE`` for core data; the version stays a draft.
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
        """Record that the newest version of a resource was reviewed. If the resource is blocked, the block ends.

        Raises ``Conflict`` ``GRADE_CORE`` if the provider or the important-data list grades the data as core;
        ``Forbidden`` ``REVIEWER_IS_PROVIDER``.
        """
        require(actor, Action.GRADE)
        check_digest(report_digest, "report_digest")
        now = self._clock()
        with self._database.write() as session:
            row = lookups.resource(session, code, lock=True)
            if row.provider == actor.party:
                raise Forbidden("REVIEWER_IS_PROVIDER", "A provider cannot review its own data.", where=code)
            grade, kinds = matched(session, current(session, row))
            if grade == "core":
                raise Conflict(
                    "GRADE_CORE",
                    "Core data stays blocked, also after a review.",
                    where=code,
                    hint=f"The data is core data because of: {', '.join(kinds) or 'its own grade'}.",
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
        """Block a resource: it disappears from every list until a review ends the block."""
        require(actor, Action.GRADE)
        return self._move(actor, code, "block", reason)

    def retire(self, actor: Actor, code: str, reason: str) -> CatalogueEntry:
        """Retire the entry permanently; its versions are kept."""
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
        """Return the published description if the resource may be registered.

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
                    hint="Submit the version, let the chief data officer sign it, then publish it.",
                )
            resource = DataResource.from_dict(lookups.version(session, code, shown).document)
            check_registrable(resource, reviewed=lookups.reviewed(session, code, shown))
            return resource

    def get(self, code: str, reader: Actor | None = None) -> dict[str, Any]:
        """Return an entry with its newest description. A reader who may not see drafts gets the published description.

        In this class, ``reader`` is None if the operator asks on the command line; the operator may see everything.
        """
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
        """Return the description of a resource in the given version."""
        with self._database.read() as session:
            row = lookups.resource(session, code)
            if version != row.published_version:
                require_sight(reader, row)
            return lookups.version(session, code, version).document

    def history(self, code: str, reader: Actor | None = None) -> list[dict[str, Any]]:
        """Return every recorded step of the resource (submit, block, sign and so on), oldest first."""
        with self._database.read() as session:
            require_sight(reader, lookups.resource(session, code))
            rows = session.scalars(
                select(ResourceEvent).where(ResourceEvent.code == code).order_by(ResourceEvent.number)
            )
            return [
                {name: getattr(row, name) for name in ("number", "version", "move", "state", "by", "reason", "at")}
                for row in rows
            ]

    def diff(self, code: str, old: int, new: int, reader: Actor | None = None) -> list[dict[str, Any]]:
        """Return the changes between two versions, in the form of ``ledger.domain.resource.diff``."""
        return diff(self.document(code, old, reader), self.document(code, new, reader))

    def page(
        self, after: str | None, limit: int, state: str | None = None, reader: Actor | None = None
    ) -> list[CatalogueEntry]:
        """Return a page of the entries that the reader may see, ordered by code; the page starts after the code
        ``after``.
        """
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
    """Return whether the reader may see unpublished versions. None is the operator at the command line, who may see
    everything.
    """
    return reader is None or row.provider == reader.party or allowed(Action.EDIT_RESOURCE, reader.roles, reads=True)


def require_sight(reader: Actor | None, row: CatalogueResource) -> None:
    """Raise ``Forbidden`` ``NOT_PUBLISHED_TO_YOU`` unless the reader may see drafts of the resource."""
    if not sees_drafts(reader, row):
        raise Forbidden(
            "NOT_PUBLISHED_TO_YOU",
            "Only the provider and those who approve a resource can see unpublished versions.",
            where=f"resource {row.code}",
            hint="Read the published version, or ask the provider.",
        )
