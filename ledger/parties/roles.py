"""The acting party with its roles, read from the index of the chain, and the check of its permissions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import select

from ledger.chain.contracts.names import PARTY_STATUSES, names_of_roles
from ledger.chain.reading.contract_state import PartyRecord
from ledger.chain.sending.relay import SignedRequest
from ledger.domain.parties import Role
from ledger.errors import Conflict, Forbidden, Incoherent
from ledger.index.tables import PARTIES
from ledger.parties.permissions import Action, allowed
from ledger.store.database import Database

ACTIVE = PARTY_STATUSES.index("active")
CLOSED = PARTY_STATUSES.index("closed")


@dataclass(frozen=True, slots=True)
class Actor:
    """The acting party, with its present roles on the chain.

    ``signed`` is the request that the party signed with its own key; None if this installation keeps the key.
    """

    party: str
    roles: frozenset[Role]
    signed: SignedRequest | None = field(default=None, compare=False)


class Roles:
    """Reads roles and status of parties from the index.

    To read the newest roles and status, the caller must first bring the index up to date.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def actor(self, identifier: str) -> Actor:
        """Return the party as an actor.

        Raises ``Forbidden`` ``PARTY_NOT_ACTIVE``, ``Conflict`` ``PARTY_NOT_ON_CHAIN``.
        """
        with self._database.read() as session:
            found = session.execute(select(PARTIES).where(PARTIES.c.id == identifier)).first()
        if found is None:
            raise not_on_chain()
        return active_actor(identifier, found.status, found.roles)

    def of(self, identifiers: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """Return the names of each party's roles, in the order of the contract; none for a party that is not on the
        chain.
        """
        wanted = list(dict.fromkeys(identifiers))
        query = select(PARTIES.c.id, PARTIES.c.roles).where(PARTIES.c.id.in_(wanted))
        with self._database.read() as session:
            found = {row.id: names_of_roles(row.roles) for row in session.execute(query)}
        return {identifier: found.get(identifier, ()) for identifier in wanted}


def not_on_chain() -> Conflict:
    """Return the error for a party that the index does not have."""
    return Conflict("PARTY_NOT_ON_CHAIN", "The party is not registered on the chain yet.")


def require_active(record: PartyRecord) -> None:
    """Raise ``Forbidden`` ``PARTY_NOT_ACTIVE`` unless the party's status on the chain is active."""
    active_actor(record.id, PARTY_STATUSES.index(record.status), 0)


def active_actor(identifier: str, status: int, roles: int) -> Actor:
    """Return a party of the index as an actor.

    Raises ``Forbidden`` ``PARTY_NOT_ACTIVE``, ``Incoherent`` ``INDEX_DIFFERS`` for an unknown status.
    """
    if status not in range(len(PARTY_STATUSES)):
        raise Incoherent(
            "INDEX_DIFFERS",
            "The index contains a status that the contracts do not have.",
            where=f"party {identifier}",
            hint="Rebuild the index from the chain: `pingzheng index rebuild`.",
        )
    if status != ACTIVE:
        raise Forbidden("PARTY_NOT_ACTIVE", f"The party is {PARTY_STATUSES[status]}.", hint="Ask the authority.")
    return Actor(identifier, frozenset(Role(name) for name in names_of_roles(roles)))


def require(actor: Actor, action: Action, *, owns: bool = False, reads: bool = False) -> None:
    """Raise ``Forbidden`` ``PARTY_LACKS_ROLE`` unless the role matrix allows the action."""
    if not allowed(action, actor.roles, owns=owns, reads=reads):
        raise Forbidden(
            "PARTY_LACKS_ROLE",
            f"None of the party's roles allows this: {action.value}.",
            hint="Ask the authority for the role, or let the owner of the record make this call.",
            action=action.value,
        )
