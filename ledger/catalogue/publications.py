"""Publication of the data list. A department's chief data officer (首席数据官) signs a version of a resource; then this
version can be published.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from ulid import ULID

from ledger.catalogue import lookups
from ledger.catalogue.data_list import CatalogueEntry
from ledger.catalogue.entry_history import move
from ledger.catalogue.states import RESOURCE
from ledger.catalogue.tables import CatalogueResource, Publication
from ledger.catalogue.use_case import UseCase
from ledger.domain.entries import publication_entry
from ledger.domain.parties import Role
from ledger.errors import Conflict, Forbidden
from ledger.parties.lookups import party
from ledger.parties.permissions import Action
from ledger.parties.register import Parties
from ledger.parties.roles import Actor, require
from ledger.parties.statements import Intake
from ledger.parties.tables import CdoAppointment
from ledger.store import log as log_store


@dataclass(eq=False, repr=False)
class Publications(UseCase):
    """Appoints chief data officers, records their signatures, and publishes the versions that they signed."""

    _parties: Parties
    _intake: Intake

    def appoint(self, actor: Actor, department: str, cdo: str | None) -> None:
        """Appoint the party ``cdo`` as the department's chief data officer; the actor must be an authority. None ends
        the appointment.

        Raises ``Forbidden`` ``PARTY_LACKS_ROLE``, ``PARTY_OFFICE_BY_AUTHORITY``, ``CDO_NOT_ITS_OWN``; ``Conflict``
        ``CDO_ROLE_MISSING``.
        """
        require(actor, Action.MANAGE_ROLES)
        if Role.AUTHORITY not in actor.roles:
            raise Forbidden(
                "PARTY_OFFICE_BY_AUTHORITY",
                "Only an authority can appoint or dismiss a chief data officer.",
                hint="Ask an authority.",
            )
        if cdo in (department, actor.party):
            raise Forbidden(
                "CDO_NOT_ITS_OWN",
                "Neither the department nor the appointing party can be the chief data officer.",
                hint="Appoint another party that has the role cdo.",
            )
        if cdo is not None and Role.CDO not in self._parties.actor(cdo).roles:
            raise Conflict(
                "CDO_ROLE_MISSING",
                "The party does not have the role of a chief data officer.",
                hint="First ask an authority to give the party the role cdo.",
            )
        now = self._clock()
        with self._database.write() as session:
            party(session, department)
            number = lookups.next_number(session, CdoAppointment.number, CdoAppointment.department == department)
            if number > 1:
                last = session.get_one(CdoAppointment, (department, number - 1))
                last.ended_at = last.ended_at or now
            if cdo is not None:
                session.add(
                    CdoAppointment(
                        department=department,
                        number=number,
                        cdo=cdo,
                        appointed_by=actor.party,
                        created_at=now,
                        ended_at=None,
                    )
                )

    def draft(self, actor: Actor, code: str) -> dict[str, Any]:
        """Return the publication statement of the newest version, for the department's chief data officer to sign."""
        require(actor, Action.PUBLISH_LISTS, owns=Role.CDO in actor.roles)
        with self._database.read() as session:
            row = lookups.resource(session, code)
            self._require_officer(session, row, actor.party)
            RESOURCE.next(row.state, "sign")
            return publication_entry(
                ledger=self._intake.ledger,
                id=str(ULID()),
                resource=code,
                version=row.version,
                document_digest=lookups.version(session, code, row.version).document_digest,
                cdo=actor.party,
                iat=self._clock(),
            )

    def sign(self, actor: Actor, statement: dict[str, Any]) -> CatalogueEntry:
        """Record a publication statement that the acting chief data officer signed. A statement that was already
        recorded is skipped.

        Raises ``Forbidden`` ``NOT_THE_CDO`` or ``SIGNER_NOT_CDO``, ``Conflict`` ``VERSION_OUTDATED``.
        """
        require(actor, Action.PUBLISH_LISTS, owns=Role.CDO in actor.roles)
        now = self._clock()
        stated = self._intake.require(statement, "publication", "publication")
        code = statement["resource"]
        with self._database.write() as session:
            row = lookups.resource(session, code, lock=True)
            officer = party(session, actor.party)
            self._require_officer(session, row, officer.id)
            refusal = Forbidden(
                "SIGNER_NOT_CDO",
                "The statement is not signed by a key of the chief data officer.",
                where=f"resource {code}",
                hint="Draft the publication again, and ask the chief data officer to sign it.",
            )
            if statement["cdo"] != officer.id:
                raise refusal
            self._intake.require_signed(session, statement, officer.id, refusal)
            outdated = Conflict(
                "VERSION_OUTDATED",
                "The signed version is not the newest one.",
                where=f"resource {code}",
                hint="Draft the publication again and sign the new statement.",
            )
            if self._intake.known(session, Publication, [stated], lambda _: outdated):
                return CatalogueEntry.of(row)
            newest = lookups.version(session, code, row.version)
            if (statement["version"], statement["document_digest"]) != (row.version, newest.document_digest):
                raise outdated
            move(session, row, "sign", officer.id, now)
            session.add(
                Publication(
                    id=statement["id"],
                    code=code,
                    version=row.version,
                    cdo=officer.id,
                    digest=self._intake.append(session, statement),
                    created_at=now,
                )
            )
            return CatalogueEntry.of(row)

    def publish(self, actor: Actor, code: str) -> CatalogueEntry:
        """Publish the signed version in the data list. Raises ``Conflict`` ``MOVE_NOT_ALLOWED`` if the version is not
        signed yet.
        """
        with self._database.write() as session:
            row = lookups.resource(session, code, lock=True)
            require(actor, Action.PUBLISH_LISTS, owns=lookups.acts_for(session, actor.party, row.provider))
            move(session, row, "publish", actor.party, self._clock())
            row.published_version = row.version
            return CatalogueEntry.of(row)

    def signature(self, code: str, version: int) -> dict[str, Any] | None:
        """Return the signed publication statement of a version, read from the log, or None if the version is not
        signed.
        """
        with self._database.read() as session:
            row = session.scalar(
                select(Publication)
                .where(Publication.code == code, Publication.version == version)
                .order_by(Publication.id.desc())
                .limit(1)
            )
            return None if row is None else log_store.statement(session, row.digest)

    def _require_officer(self, session: Session, row: CatalogueResource, cdo: str) -> None:
        if lookups.cdo_of(session, row.provider) != cdo:
            raise Forbidden(
                "NOT_THE_CDO",
                "The party is not the chief data officer of the resource's department.",
                where=f"resource {row.code}",
                hint="An authority appoints one chief data officer for each department.",
            )
