"""A party's roles and status: given and taken by those in office, never to oneself. The contract decides."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import update

from ledger.chain.calls import set_roles, set_status
from ledger.chain.reader import ChainReader
from ledger.chain.records import PartyRecord
from ledger.chain.relay import SignedRequest
from ledger.domain.parties import Role
from ledger.service.acting import Acting
from ledger.store.database import Database
from ledger.store.records import party_no
from ledger.store.tables import Party


class Standing:
    """Sets roles and status in the name of an authority, an admin or a supervisor."""

    def __init__(self, database: Database, reader: ChainReader, acting: Acting) -> None:
        self._database = database
        self._reader = reader
        self._acting = acting

    def set_roles(
        self, by: str, identifier: str, roles: Iterable[Role], signed: SignedRequest | None = None
    ) -> PartyRecord:
        """Give the party exactly these roles; an admin that is no authority leaves the offices as they are.

        Raises ``Forbidden`` ``PARTY_OFFICE_BY_AUTHORITY``, ``PARTY_SELF_GRANT``, ``PARTY_LACKS_ROLE``.
        """
        wanted = sorted(set(roles))
        number = self._number(identifier)
        if Role.mask(Role(role) for role in self._reader.party(number).roles) != Role.mask(wanted):
            self._acting.act_as(by, set_roles(number, Role.mask(wanted)), signed)
        with self._database.write() as session:
            session.execute(update(Party).where(Party.id == identifier).values(roles=wanted))
        return self._reader.party(number)

    def set_status(
        self, by: str, identifier: str, status: str, reason: str, signed: SignedRequest | None = None
    ) -> PartyRecord:
        """Let the party act, or stop it; ``closed`` is final (``Conflict`` ``PARTY_CLOSED``)."""
        number = self._number(identifier)
        self._acting.act_as(by, set_status(number, status, reason), signed)
        return self._reader.party(number)

    def _number(self, identifier: str) -> int:
        with self._database.read() as session:
            return party_no(session, identifier)
