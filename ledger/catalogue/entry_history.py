"""The versions and steps of an entry of the data list (数据清单). A recorded version or step is never overwritten."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from ledger.catalogue import lookups
from ledger.catalogue.states import RESOURCE
from ledger.catalogue.tables import CatalogueResource, ResourceEvent
from ledger.domain.resource import DataResource, check_resource, diff
from ledger.errors import Forbidden, InvalidInput


@dataclass(frozen=True, slots=True)
class Change:
    """What changes in an entry when a description is recorded. ``verdict`` is ``new``, ``new_version`` or
    ``unchanged``.
    """

    verdict: str
    version: int
    changes: tuple[dict[str, Any], ...]


def change_of(
    provider: str,
    resource: DataResource,
    present: tuple[CatalogueResource, Mapping[str, Any]] | None,
    systems: Container[str],
) -> Change:
    """Return what would change if the provider recorded this description. ``present`` is the entry with its newest
    description, or None for a new entry. The database is not read.

    ``systems`` has codes of listed systems: at least the code of the description's system, if that system is listed.
    Raises the errors of ``Catalogue.put``.
    """
    check_resource(resource)
    if resource.system and resource.system not in systems:
        raise InvalidInput(
            "SYSTEM_UNKNOWN", "The system list has no such system.", where="system", hint="Add the system first."
        )
    if present is None:
        return Change("new", 1, ())
    row, document = present
    require_provider(row, provider)
    changes = diff(document, resource.to_dict())
    if not changes:
        return Change("unchanged", row.version, ())
    RESOURCE.next(row.state, "edit")
    return Change("new_version", row.version + 1, tuple(changes))


def move(session: Session, row: CatalogueResource, name: str, by: str, now: int, reason: str | None = None) -> None:
    """Change the state of an entry by the step ``name``, and record the step. An entry that is blocked or retired is no
    longer published.

    Raises ``Conflict`` ``MOVE_NOT_ALLOWED``.
    """
    row.state = RESOURCE.next(row.state, name)
    if row.state in ("blocked", "retired"):
        row.published_version = None
    session.add(
        ResourceEvent(
            code=row.code,
            number=lookups.next_number(session, ResourceEvent.number, ResourceEvent.code == row.code),
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
    """Return the newest description of the entry."""
    return DataResource.from_dict(lookups.version(session, row.code, row.version).document)


def require_provider(row: CatalogueResource, party: str) -> None:
    """Raise ``Forbidden`` ``NOT_THE_PROVIDER`` unless the party provides the resource."""
    if row.provider != party:
        raise Forbidden(
            "NOT_THE_PROVIDER",
            "The resource belongs to another provider.",
            where=f"resource {row.code}",
            hint="Use another code, or ask the provider.",
        )
