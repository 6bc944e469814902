"""Finds the parties for which a party may act: the principals of a broker, the departments of a chief data officer."""

from __future__ import annotations

from sqlalchemy import select

from ledger.domain.days import Clock
from ledger.domain.parties import Role
from ledger.parties.roles import Actor
from ledger.parties.tables import CdoAppointment, Mandate
from ledger.store.database import Database


class Principals:
    """Reads mandates and appointments."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def of(self, actor: Actor) -> frozenset[str]:
        """Return the ids of the party itself, of its principals by mandate, and of the departments of which the party
        is the chief data officer.
        """
        with self._database.read() as session:
            found = {actor.party}
            if Role.BROKER in actor.roles:
                mandates = select(Mandate.principal).where(
                    Mandate.broker == actor.party, Mandate.valid_to > self._clock()
                )
                found.update(session.scalars(mandates))
            if Role.CDO in actor.roles:
                departments = select(CdoAppointment.department).where(
                    CdoAppointment.cdo == actor.party, CdoAppointment.ended_at.is_(None)
                )
                found.update(session.scalars(departments))
        return frozenset(found)
