"""Who calls, and what the role matrix lets it: by the chain as followed, the one place that roles are read from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select

from ledger.chain.contracts.names import PARTY_STATUSES, names_of_roles
from ledger.chain.reading.contract_state import PartyRecord
from ledger.domain.parties import Role
from ledger.errors import Conflict, Forbidden, Incoherent
from ledger.index.tables import PARTIES
from ledger.parties.permissions import Action, allowed
from ledger.store.database import Database

ACTIVE = PARTY_STATUSES.index("active")
CLOSED = PARTY_STATUSES.index("closed")


@dataclass(frozen=True, slots=True)
class Actor:
    """Who calls: a party with the roles that the chain gives it now."""

    party: str
    roles: frozenset[Role]


class Roles:
    """Reads roles and status of parties from the index; whoever needs them newer brings the index up to date first."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def actor(self, identifier: str) -> Actor:
        """The party as one that acts.

        Raises ``Forbidden`` ``PARTY_NOT_ACTIVE``, ``Conflict`` ``PARTY_NOT_ON_CHAIN``.
        """
        with self._database.read() as session:
            found = session.execute(select(PARTIES).where(PARTIES.c.id == identifier)).first()
        if found is None:
            raise Conflict("PARTY_NOT_ON_CHAIN", "The party is not registered on the chain yet.")
        return active_actor(identifier, found.status, found.roles)

    def of(self, identifiers: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """The names of the roles of each party, in the order of the chain; empty for one that it does not know."""
        wanted = list(dict.fromkeys(identifiers))
        query = select(PARTIES.c.id, PARTIES.c.roles).where(PARTIES.c.id.in_(wanted))
        with self._database.read() as session:
            found = {row.id: names_of_roles(row.roles) for row in session.execute(query)}
        return {identifier: found.get(identifier, ()) for identifier in wanted}


def require_active(record: PartyRecord) -> None:
    """Raise ``Forbidden`` ``PARTY_NOT_ACTIVE`` for a party that the chain says is not."""
    active_actor(record.id, PARTY_STATUSES.index(record.status), 0)


def active_actor(identifier: str, status: int, roles: int) -> Actor:
    """A party of the index as one that calls.

    Raises ``Forbidden`` ``PARTY_NOT_ACTIVE``, ``Incoherent`` ``INDEX_DIFFERS`` for a status that there is none of.
    """
    if status not in range(len(PARTY_STATUSES)):
        raise Incoherent(
            "INDEX_DIFFERS",
            "The index says of a party what the contracts cannot say.",
            where=f"party {identifier}",
            hint="Replay it from the chain: `pingzheng index rebuild`.",
        )
    if status != ACTIVE:
        raise Forbidden("PARTY_NOT_ACTIVE", f"The party is {PARTY_STATUSES[status]}.", hint="Ask the authority.")
    return Actor(identifier, frozenset(Role(name) for name in names_of_roles(roles)))


def require(actor: Actor, action: Action, *, owns: bool = False, reads: bool = False) -> None:
    """Raise ``Forbidden`` ``PARTY_LACKS_ROLE`` unless the role matrix allows the action."""
    if not allowed(action, actor.roles, owns=owns, reads=reads):
        raise Forbidden(
            "PARTY_LACKS_ROLE",
            f"None of the party's roles may: {action.value}.",
            hint="Ask the authority for the role, or the record's owner to do it.",
            action=action.value,
        )
