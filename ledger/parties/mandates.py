"""Mandates: a principal lets a broker hand in its applications and requests. It signs for the chain itself."""

from __future__ import annotations

from sqlalchemy import select
from ulid import ULID

from ledger.domain.days import Clock
from ledger.domain.parties import Role
from ledger.errors import Conflict, Forbidden
from ledger.parties.lookups import party
from ledger.parties.roles import Roles
from ledger.parties.tables import Mandate
from ledger.store.database import Database


class Mandates:
    """Who may hand in for whom, and until when (seconds UTC, not included)."""

    def __init__(self, database: Database, roles: Roles, clock: Clock) -> None:
        self._database = database
        self._roles = roles
        self._clock = clock

    def give(self, principal: str, broker: str, valid_to: int) -> Mandate:
        """Let ``broker`` hand in applications and requests for ``principal``; raises ``Conflict`` ``NOT_A_BROKER``."""
        now = self._clock()
        is_broker = Role.BROKER in self._roles.of([broker])[broker]
        with self._database.write() as session:
            for each in (principal, broker):
                party(session, each)
            if not is_broker:
                raise Conflict("NOT_A_BROKER", "The party is not a broker.", where="broker", hint="Name a broker.")
            row = Mandate(
                id=str(ULID()),
                principal=principal,
                broker=broker,
                valid_to=valid_to,
                created_at=now,
            )
            session.add(row)
        return row

    def require(self, principal: str, broker: str) -> None:
        """Raise ``Forbidden`` ``MANDATE_MISSING`` unless a mandate is in force."""
        query = select(Mandate.id).where(
            Mandate.principal == principal, Mandate.broker == broker, Mandate.valid_to > self._clock()
        )
        with self._database.read() as session:
            if session.scalar(query.limit(1)) is None:
                raise Forbidden(
                    "MANDATE_MISSING",
                    "The principal gave no mandate that is in force.",
                    hint="The principal gives it: POST /v1/parties/{party}/mandates.",
                )
