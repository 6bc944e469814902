"""A party's roles and status: given and taken by those in office, never to oneself. The contract decides."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sqlalchemy import update

from ledger.chain.reading.reader import ChainReader
from ledger.chain.sending.calls import Call, set_roles, set_status
from ledger.chain.sending.relay import SignedRequest
from ledger.domain.parties import OFFICES, Role
from ledger.index.follower import Follower
from ledger.parties.lookups import party_no
from ledger.parties.proposals.proposals import Proposal, Proposals
from ledger.parties.relayed_acts import RelayedActs
from ledger.parties.tables import Party
from ledger.store.database import Database

PROTECTED: Final = frozenset({Role.AUTHORITY, Role.SUPERVISOR})
SUSPENDED_BY_TWO: Final = PROTECTED | {Role.ISSUER}
FINAL: Final = "closed"


class RoleChanges:
    """Sets roles and status in the name of an authority, an admin or a supervisor.

    What one of them may do alone takes effect at once. What two authorities have to decide is proposed: the answer is
    the proposal, and None where there is none.
    """

    def __init__(
        self, database: Database, reader: ChainReader, follower: Follower, acting: RelayedActs, proposals: Proposals
    ) -> None:
        self._database = database
        self._reader = reader
        self._follower = follower
        self._acting = acting
        self._proposals = proposals

    def set_roles(
        self, by: str, identifier: str, roles: Iterable[Role], signed: SignedRequest | None = None
    ) -> Proposal | None:
        """Give the party exactly these roles; where offices change, two authorities and the delay do.

        Raises ``Forbidden`` ``PARTY_SELF_GRANT``, ``PARTY_LACKS_ROLE``.
        """
        wanted, number = set(roles), self._number(identifier)
        present = {Role(role) for role in self._reader.party(number).roles}
        proposal = None
        if present != wanted:
            decided = bool(OFFICES & (present ^ wanted))
            proposal = self._act(by, set_roles(number, Role.mask(wanted)), signed, decided=decided)
        if proposal is None or proposal.state == "carried_out":
            with self._database.write() as session:
                session.execute(update(Party).where(Party.id == identifier).values(roles=sorted(wanted)))
        return proposal

    def set_status(
        self, by: str, identifier: str, status: str, reason: str, signed: SignedRequest | None = None
    ) -> Proposal | None:
        """Let the party act, or stop it; ``closed`` is final (``Conflict`` ``PARTY_CLOSED``).

        Two authorities and the delay close a party, and set the status of an authority, a supervisor or an issuer.
        """
        number = self._number(identifier)
        protected = bool(SUSPENDED_BY_TWO & {Role(role) for role in self._reader.party(number).roles})
        call = set_status(number, status, reason)
        return self._act(by, call, signed, decided=protected or status == FINAL)

    def _act(self, by: str, call: Call, signed: SignedRequest | None, *, decided: bool) -> Proposal | None:
        if decided:
            return self._proposals.decide(by, call, signed)
        self._acting.act_as(by, call, signed)
        self._follower.sync()
        return None

    def _number(self, identifier: str) -> int:
        with self._database.read() as session:
            return party_no(session, identifier)
