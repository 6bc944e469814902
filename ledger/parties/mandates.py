"""Mandates: a principal lets a broker submit the principal's applications and requests.

The principal still signs its applications and requests itself.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sqlalchemy import select
from ulid import ULID

from ledger.domain.days import Clock
from ledger.domain.parties import Role
from ledger.errors import Conflict, Forbidden
from ledger.parties.lookups import party
from ledger.parties.roles import Actor, Roles
from ledger.parties.tables import Mandate
from ledger.store.database import Database


@dataclass(frozen=True, slots=True)
class GivenMandate:
    """A broker's mandate from a principal; invalid from ``valid_to`` (seconds UTC) on."""

    id: str
    principal: str
    broker: str
    valid_to: int


class Mandates:
    """Stores mandates, and checks whether a broker has a mandate."""

    def __init__(self, database: Database, roles: Roles, clock: Clock) -> None:
        self._database = database
        self._roles = roles
        self._clock = clock

    def give(self, actor: Actor, principal: str, broker: str, valid_to: int) -> GivenMandate:
        """Let ``broker`` submit applications and requests for ``principal``; only the principal itself may give this
        mandate.

        Raises ``Forbidden`` ``NOT_YOURS``, ``Conflict`` ``NOT_A_BROKER``.
        """
        if actor.party != principal:
            raise Forbidden("NOT_YOURS", "A party may give mandates only for itself.", where="party")
        given = GivenMandate(str(ULID()), principal, broker, valid_to)
        is_broker = Role.BROKER in self._roles.of([broker])[broker]
        with self._database.write() as session:
            for each in (principal, broker):
                party(session, each)
            if not is_broker:
                raise Conflict("NOT_A_BROKER", "The party is not a broker.", where="broker", hint="Name a broker.")
            session.add(Mandate(**asdict(given), created_at=self._clock()))
        return given

    def require(self, principal: str, broker: str) -> None:
        """Raise ``Forbidden`` ``MANDATE_MISSING`` unless the broker has a valid mandate from the principal."""
        query = select(Mandate.id).where(
            Mandate.principal == principal, Mandate.broker == broker, Mandate.valid_to > self._clock()
        )
        with self._database.read() as session:
            if session.scalar(query.limit(1)) is None:
                raise Forbidden(
                    "MANDATE_MISSING",
                    "The broker has no valid mandate from the principal.",
                    hint="Let the principal give a mandate: POST /v1/parties/{party}/mandates.",
                )
