"""Records a set of first applications. A few queries read everything that the database contains about the set, and one
statement writes each table.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.catalogue.lookups import listed_kinds
from ledger.domain.assets.identity import asset_id
from ledger.domain.days import shanghai_day
from ledger.domain.resource import DataResource
from ledger.errors import Conflict
from ledger.registration.applications import Described, application_row, require_registrable
from ledger.registration.tables import Application, Registration, Resource
from ledger.store.counters import take
from ledger.store.sets import add_rows, matching


@dataclass(frozen=True, slots=True, order=True)
class EarlierRegistration:
    """An earlier registration of one of the set's resources, or of the same content. When sorted, these objects are in
    the order of registration.
    """

    created_at: int
    asset_id: str
    reg_no: str
    resource_code: str
    applicant: str


class EarlierRegistrations:
    """The earlier registrations of a set's resources, and of resources with the same contents."""

    def __init__(self, session: Session, resources: Sequence[DataResource]) -> None:
        """Read the registrations of these resources and of their contents."""
        self._by_code: dict[str, set[EarlierRegistration]] = {}
        self._by_content: dict[str, set[EarlierRegistration]] = {}
        query = select(
            Registration.created_at,
            Registration.asset_id,
            Registration.reg_no,
            Registration.resource_code,
            Registration.applicant,
            Application.fingerprint,
        ).join(Application, Application.asset_id == Registration.asset_id)
        for column, values in (
            (Registration.resource_code, (each.code for each in resources)),
            (Application.fingerprint, (each.fingerprint for each in resources)),
        ):
            for *columns, fingerprint in matching(session, query, column, values):
                self.add(EarlierRegistration(*columns), fingerprint)

    def add(self, row: EarlierRegistration, fingerprint: str) -> None:
        """Remember a registration of the content with this fingerprint."""
        self._by_code.setdefault(row.resource_code, set()).add(row)
        self._by_content.setdefault(fingerprint, set()).add(row)

    def asset_ids(self) -> list[str]:
        """Return the asset ids of all these registrations."""
        found = set[EarlierRegistration]().union(*self._by_code.values(), *self._by_content.values())
        return sorted(row.asset_id for row in found)

    def of(self, resource: DataResource) -> list[EarlierRegistration]:
        """Return the registrations of this resource or of its content, the earliest first."""
        same = self._by_code.get(resource.code, set()) | self._by_content.get(resource.fingerprint, set())
        return sorted(same)


class Submissions:
    """First applications of one applicant that are written together. ``ended`` are those earlier registrations that
    have ended.
    """

    def __init__(
        self,
        session: Session,
        applicant: str,
        agent: str | None,
        resources: Sequence[DataResource],
        ended: Collection[str],
        ruleset: str,
        now: int,
    ) -> None:
        """Read what the database contains about the resources."""
        self._session = session
        self._applicant = applicant
        self._agent = agent
        self._ended = ended
        self._ruleset = ruleset
        self._now = now
        self._kinds = listed_kinds(session)
        self._earlier = EarlierRegistrations(session, resources)
        described = matching(
            session, select(Resource.code, Resource.document), Resource.code, (each.code for each in resources)
        )
        self._documents: dict[str, Mapping[str, Any]] = {row.code: row.document for row in described}
        self._year = shanghai_day(now).year
        self._counter = f"registration/{self._year}"
        self._serial: int | None = None
        self._resources: list[dict[str, Any]] = []
        self._registrations: list[dict[str, Any]] = []
        self._applications: list[dict[str, Any]] = []

    def add(self, given: Described) -> str:
        """Add an application for a resource, and return the asset id. If the applicant has a registration of the
        resource that has not ended, the asset id of this registration is returned, and no application is added.

        Raises ``Conflict`` ``GRADE_CORE``; ``DUPLICATE_REGISTRATION`` if another registration of the same content has
        not ended.
        """
        resource = given.resource
        require_registrable(self._kinds, resource)
        present, attempts = self._present(resource)
        if present is not None:
            return present
        if resource.code not in self._documents:
            self._documents[resource.code] = given.document
            self._resources.append(_resource_row(self._applicant, given, self._now))
        row = EarlierRegistration(
            created_at=self._now,
            asset_id=asset_id(self._applicant, resource.code, attempts + 1),
            reg_no=f"REG-{self._year}-{self._next_serial():08d}",
            resource_code=resource.code,
            applicant=self._applicant,
        )
        self._earlier.add(row, resource.fingerprint)
        self._registrations.append(_registration_row(row))
        self._applications.append(
            application_row(
                given,
                row.asset_id,
                1,
                "first",
                self._applicant,
                self._ruleset,
                self._now,
                agent=self._agent,
                same=self._documents[resource.code] == given.document,
            )
        )
        return row.asset_id

    def write(self) -> None:
        """Write the rows of all added applications in the caller's transaction."""
        if not self._registrations:
            return
        take(self._session, self._counter, len(self._registrations))
        add_rows(self._session, Resource, self._resources)
        add_rows(self._session, Registration, self._registrations)
        add_rows(self._session, Application, self._applications)

    def _next_serial(self) -> int:
        if self._serial is None:
            # ``take`` with the count 0 returns the next number and locks the counter until the transaction ends.
            # ``write`` takes the numbers later, when it is known how many are needed.
            self._serial = take(self._session, self._counter, 0)
        self._serial += 1
        return self._serial

    def _present(self, resource: DataResource) -> tuple[str | None, int]:
        """Return the asset id of the applicant's registration of this resource that has not ended (None without one),
        and the number of registrations of the resource that have ended.

        Raises ``Conflict`` ``DUPLICATE_REGISTRATION`` if another registration of the same content has not ended.
        """
        rows = self._earlier.of(resource)
        own = [row for row in rows if (row.applicant, row.resource_code) == (self._applicant, resource.code)]
        for row in rows:
            if row.asset_id in self._ended:
                continue
            if row in own:
                return row.asset_id, 0
            raise _duplicate(resource, row)
        return None, len(own)


def _resource_row(applicant: str, given: Described, now: int) -> dict[str, Any]:
    return {
        "code": given.resource.code,
        "provider": applicant,
        "title": given.resource.title,
        "document": given.document,
        "content_digest": given.resource.content_digest,
        "fingerprint": given.resource.fingerprint,
        "created_at": now,
    }


def _registration_row(row: EarlierRegistration) -> dict[str, Any]:
    return {
        "asset_id": row.asset_id,
        "resource_code": row.resource_code,
        "applicant": row.applicant,
        "reg_no": row.reg_no,
        "created_at": row.created_at,
    }


def _duplicate(resource: DataResource, row: EarlierRegistration) -> Conflict:
    return Conflict(
        "DUPLICATE_REGISTRATION",
        f"The same content is registered already: {row.reg_no} ({row.resource_code}).",
        where=f"resource {resource.code}",
        hint="Ask its holder for a licence, or object to that registration.",
        earlier=row.asset_id,
        reg_no=row.reg_no,
    )
