"""The register of parties: finds parties, decrypts their names, and returns the acting party with its roles."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.index.follower import Follower
from ledger.parties.known import KNOWN, KnownParty
from ledger.parties.lookups import party, unknown_party
from ledger.parties.newcomers import lookup_digest
from ledger.parties.roles import Actor, Roles
from ledger.parties.tables import Party
from ledger.store.database import Database
from ledger.store.sealing import Sealer
from ledger.store.sets import matching

SHOWN_OF_ID = 12


class Parties:
    """Finds parties, decrypts their names and identifiers, and returns parties as actors."""

    def __init__(self, database: Database, sealer: Sealer, follower: Follower, roles: Roles, lookup_key: bytes) -> None:
        self._database = database
        self._sealer = sealer
        self._follower = follower
        self._roles = roles
        self._lookup_key = lookup_key

    def get(self, identifier: str) -> KnownParty:
        """Return the party with that id; raises ``NotFound`` ``PARTY_UNKNOWN``."""
        with self._database.read() as session:
            return KnownParty.of(party(session, identifier))

    def find(self, identifier: str) -> KnownParty:
        """Return the party with that USCC or ID number; raises ``NotFound`` ``PARTY_UNKNOWN``."""
        found = self.found([identifier])
        if identifier not in found:
            raise unknown_party()
        return found[identifier]

    def found(self, identifiers: Iterable[str]) -> dict[str, KnownParty]:
        """Return the parties with these USCCs and ID numbers, by USCC or ID number. Unknown USCCs and ID numbers are
        left out.
        """
        lookups = {lookup_digest(self._lookup_key, each): each for each in identifiers}
        query = select(Party.lookup, *KNOWN)
        with self._database.read() as session:
            rows = list(matching(session, query, Party.lookup, lookups))
        return {lookups[row.lookup]: KnownParty.of(row) for row in rows}

    def page(self, after: str | None, limit: int) -> list[KnownParty]:
        """Return at most ``limit`` parties with ids after ``after``, in the order of their ids."""
        query = select(Party).order_by(Party.id).limit(limit)
        if after:
            query = query.where(Party.id > after)
        with self._database.read() as session:
            return [KnownParty.of(row) for row in session.scalars(query)]

    def identity(self, identifier: str) -> dict[str, str]:
        """Return the party's name and identifier, decrypted. Only the party itself and its counterparties may see them;
        never log them.

        Raises ``NotFound``: ``PARTY_UNKNOWN``, or ``SEALED_ERASED`` once they were erased.
        """
        with self._database.read() as session:
            return identity(session, self._sealer, party(session, identifier))

    def actor(self, identifier: str) -> Actor:
        """Return the party with its present roles on the chain.

        Raises ``NotFound`` ``PARTY_UNKNOWN``, ``Conflict`` ``PARTY_NOT_ON_CHAIN``, ``Forbidden`` ``PARTY_NOT_ACTIVE``.
        """
        self.get(identifier)
        self._follower.sync()
        return self._roles.actor(identifier)

    def active(self, identifier: str) -> KnownParty:
        """Return the party if it is active in the index; raises the errors of ``actor``."""
        found = self.get(identifier)
        self._roles.actor(identifier)
        return found


def identity(session: Session, sealer: Sealer, party: Party) -> dict[str, str]:
    """Return the name and identifier of the party's row, decrypted."""
    opened = sealer.open_object(session, party.sealed_id)
    return {"name": opened["name"], "identifier": opened["identifier"]}
