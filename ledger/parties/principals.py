"""For whom a party stands: its own records are also those of its principals, or of the departments it serves."""

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
        """The party itself, who gave it as a broker a mandate, and the departments it is chief data officer of."""
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
