"""Look up entries of the catalogue's lists and the listed kinds of important data, and find the next free number of an
entry.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from ledger.catalogue.important_rules import ImportantData, matched_grade
from ledger.catalogue.tables import (
    CatalogueResource,
    Demand,
    ImportantDataEntry,
    InfoSystem,
    ResourceReview,
    ResourceVersion,
)
from ledger.domain.resource import DataResource
from ledger.errors import NotFound
from ledger.parties.tables import CdoAppointment


def resource(session: Session, code: str, *, lock: bool = False) -> CatalogueResource:
    """Return the resource's entry in the data list. Raises ``NotFound`` ``RESOURCE_UNKNOWN``."""
    row = session.get(CatalogueResource, code, with_for_update=lock)
    if row is None:
        raise NotFound(
            "RESOURCE_UNKNOWN", "The data list has no such resource.", where="resource", hint="Check the resource code."
        )
    return row


def version(session: Session, code: str, number: int) -> ResourceVersion:
    """Return the given version of a resource. Raises ``NotFound`` ``VERSION_UNKNOWN``."""
    row = session.get(ResourceVersion, (code, number))
    if row is None:
        raise NotFound("VERSION_UNKNOWN", f"The resource has no version {number}.", where=code[:64])
    return row


def published(session: Session) -> Iterable[ResourceVersion]:
    """Return the published version of every resource that is published, ordered by code."""
    return session.scalars(
        select(ResourceVersion)
        .join(CatalogueResource, CatalogueResource.code == ResourceVersion.code)
        .where(ResourceVersion.version == CatalogueResource.published_version)
        .order_by(ResourceVersion.code)
    )


def demand(session: Session, identifier: str, *, lock: bool = False) -> Demand:
    """Return the demand. Raises ``NotFound`` ``DEMAND_UNKNOWN``."""
    row = session.get(Demand, identifier, with_for_update=lock)
    if row is None:
        raise NotFound(
            "DEMAND_UNKNOWN", "The demand list has no such demand.", hint="Check the id, a ULID of 26 characters."
        )
    return row


def system(session: Session, code: str) -> InfoSystem | None:
    """Return the newest version of an information system, or None if the code is unknown."""
    return session.scalar(
        select(InfoSystem).where(InfoSystem.code == code).order_by(InfoSystem.version.desc()).limit(1)
    )


def reviewed(session: Session, code: str, number: int) -> bool:
    """Return whether a review of the given version is recorded."""
    return session.get(ResourceReview, (code, number)) is not None


def acts_for(session: Session, party_id: str, department: str) -> bool:
    """Return whether the party is the department, or its present chief data officer."""
    return party_id in (department, cdo_of(session, department))


def cdo_of(session: Session, department: str) -> str | None:
    """Return the chief data officer of the department, or None if nobody is appointed."""
    newest = session.scalar(
        select(CdoAppointment)
        .where(CdoAppointment.department == department)
        .order_by(CdoAppointment.number.desc())
        .limit(1)
    )
    return None if newest is None or newest.ended_at is not None else newest.cdo


def next_number(session: Session, column: InstrumentedAttribute[int], of: ColumnElement[bool]) -> int:
    """Return the next free number in ``column``: 1 more than the highest number in the rows that meet the condition
    ``of``.
    """
    return (session.scalar(select(func.max(column)).where(of)) or 0) + 1


def matched(session: Session, resource: DataResource) -> tuple[str, Sequence[str]]:
    """Return the grade of the provider or of the important-data list, whichever is higher, and the titles of the listed
    kinds of data that match the resource.
    """
    return matched_grade(resource, listed_kinds(session))


def listed_kinds(session: Session) -> list[ImportantData]:
    """Return the kinds of data on the important-data list, without withdrawn entries."""
    rows = session.scalars(select(ImportantDataEntry).where(ImportantDataEntry.withdrawn_at.is_(None)))
    return [ImportantData(row.title, row.grade, row.pattern, tuple(row.fields)) for row in rows]
