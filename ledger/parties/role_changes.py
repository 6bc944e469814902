"""Changes of a party's roles, status and accreditations by an authority, an admin or a supervisor.

No party may make such a change for itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import update

from ledger.chain.reading.contract_state import PartyRecord
from ledger.chain.reading.reader import ChainReader
from ledger.chain.sending.calls import Call, accredit, set_roles, set_status
from ledger.domain.parties import OFFICES, Role
from ledger.index.follower import Follower
from ledger.parties.lookups import party_no
from ledger.parties.permissions import Action
from ledger.parties.proposals.proposals import Proposal, Proposals
from ledger.parties.relayed_acts import RelayedActs
from ledger.parties.roles import Actor, require
from ledger.parties.tables import Party
from ledger.store.database import Database

PROTECTED: Final = frozenset({Role.AUTHORITY, Role.SUPERVISOR})
SUSPENDED_BY_TWO: Final = PROTECTED | {Role.ISSUER}
FINAL: Final = "closed"


@dataclass(eq=False, repr=False)
class RoleChanges:
    """Changes made by an authority, an admin or a supervisor; the contract checks the permission again.

    A change that one party may make alone takes effect at once, and None is returned. A change that needs two
    authorities is proposed, and the proposal is returned.
    """

    _database: Database
    _reader: ChainReader
    _follower: Follower
    _relayed: RelayedActs
    _proposals: Proposals

    def set_roles(self, actor: Actor, identifier: str, roles: Iterable[Role]) -> Proposal | None:
        """Give the party exactly these roles.

        If any role except subject, provider, consumer and broker changes, two authorities must agree, and the change
        takes effect after the waiting period. Raises ``Forbidden`` ``PARTY_SELF_GRANT``, ``PARTY_LACKS_ROLE``.
        """
        require(actor, Action.MANAGE_ROLES)
        wanted, number = set(roles), self._number(identifier)
        present = {Role(role) for role in self._reader.party(number).roles}
        proposal = None
        if present != wanted:
            decided = bool(OFFICES & (present ^ wanted))
            proposal = self._act(actor, set_roles(number, Role.mask(wanted)), decided=decided)
        if proposal is None or proposal.state == "carried_out":
            with self._database.write() as session:
                session.execute(update(Party).where(Party.id == identifier).values(roles=sorted(wanted)))
        return proposal

    def set_status(self, actor: Actor, identifier: str, status: str, reason: str) -> Proposal | None:
        """Set the party's status. The status ``closed`` is final: a later change raises ``Conflict`` ``PARTY_CLOSED``.

        To close a party, or to change the status of an authority, a supervisor or an issuer, two authorities must
        agree, and the change takes effect after the waiting period.
        """
        require(actor, Action.FREEZE)
        number = self._number(identifier)
        protected = bool(SUSPENDED_BY_TWO & {Role(role) for role in self._reader.party(number).roles})
        call = set_status(number, status, reason)
        return self._act(actor, call, decided=protected or status == FINAL)

    def accredit(self, actor: Actor, issuer: str, scenarios: Iterable[str], start: int, end: int) -> list[Proposal]:
        """Propose that ``issuer`` may issue certificates of ``scenarios`` while ``start ≤ t < end`` (seconds UTC).

        Two authorities must agree, and the accreditation takes effect after the waiting period. Returns the proposals;
        no proposal is made for a scenario for which the issuer already has this period. A renewed accreditation keeps
        its earlier start, so that earlier certificates stay valid. The contract refuses an end in the past
        (``InvalidInput`` ``PARTY_PERIOD``).
        """
        require(actor, Action.MANAGE_ROLES)
        number, made = self._number(issuer), []
        for scenario in scenarios:
            given = self._reader.accreditation(number, scenario)
            wanted = (min(start, given[0]) if given[1] else start, end)
            if given != wanted:
                made.append(self._proposals.decide(actor.party, accredit(number, scenario, *wanted)))
        return made

    def present(self, identifier: str) -> PartyRecord:
        """Return the party with its roles and status on the chain.

        Raises ``NotFound`` ``PARTY_UNKNOWN``, ``Conflict`` ``PARTY_NOT_ON_CHAIN``.
        """
        return self._reader.party(self._number(identifier))

    def _act(self, actor: Actor, call: Call, *, decided: bool) -> Proposal | None:
        if decided:
            return self._proposals.decide(actor.party, call, actor.signed)
        self._relayed.act_by(actor, call)
        self._follower.sync()
        return None

    def _number(self, identifier: str) -> int:
        with self._database.read() as session:
            return party_no(session, identifier)
