"""One firm loses its key and gets a new key after the waiting period. A second firm vetoes a forged recovery of its own
key.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from ledger.chain.accounts import account_of, new_private_key
from ledger.chain.sending.calls import Call, carry_out, change_key
from ledger.demo.data.mixture import Fate
from ledger.demo.data.people import Member
from ledger.demo.earlier_runs import EarlierRuns
from ledger.demo.endings import refused, refused_by_contract
from ledger.demo.registration import skip_to
from ledger.demo.stages import Run
from ledger.demo.tally import Caught
from ledger.domain.powers import ProposalState
from ledger.errors import ChainUnavailable
from ledger.index import proposals as indexed
from ledger.installation.wiring import Ledger
from ledger.parties.keys.possession import possession_of
from ledger.parties.proposals.proposals import Proposal
from ledger.proof.jws import LocalSigner

SCENARIO: Final = "S01"
STAGE: Final = "密钥恢复与否决 recover one key, veto a forged recovery"
REPORTED: Final = "用已挂失的密钥换钥 a reported key proposes the key of a thief"
OUT_OF_TIME: Final = "等待期内执行伪造的恢复 a forged recovery carried out during the delay"
AFTER_VETO: Final = "执行已被否决的恢复 a forged recovery carried out after the veto"


def two_firms(before: Mapping[str, Sequence[Member]], present: Mapping[str, Sequence[Member]]) -> list[Member]:
    """Return two members whose requests succeed. Their firms must have no certificate yet: a firm that has lost its key
    could not present a certificate.
    """
    certified = {member.party for group in before.values() for member in group}
    free = [each for each in present[SCENARIO] if each.fate is Fate.ORDINARY and each.party not in certified]
    return free[:2]


class Powers:
    """Recovers the key of ``loser``. Also forges a recovery of the key of ``victim``, which vetoes the forgery.

    Before each act, the chain is searched for the same act of an earlier run. Some acts must be refused, and a refused
    act leaves no trace on the chain. So if an earlier run has done the acts that come later, and the chain shows no
    trace of such an act, then it was refused.
    """

    def __init__(self, ledger: Ledger, loser: Member, victim: Member) -> None:
        self._ledger = ledger
        self._loser = loser
        self._victim = victim
        self._officers = ledger.installation.officers[:3]
        self._earlier = EarlierRuns(ledger)
        self._caught: list[Caught] = []

    @property
    def begun(self) -> bool:
        """Return whether an earlier run proposed the recovery."""
        return self._recovery() is not None

    def play(self, run: Run) -> list[Caught]:
        """Run both recoveries until they end, and return the acts that were refused.

        The clock of the local chain is moved forward by the waiting period, so it must be behind the present by at
        least the waiting period.
        """
        ledger, proposals = self._ledger, self._ledger.proposals
        with run.stage(STAGE) as stage:
            lost = self._report()
            recovery = self._recover(lost)
            forged = self._forge()
            if forged.pending:
                theft = self._theft(forged.no)
                self._refused(OUT_OF_TIME, lambda: ledger.client.send(carry_out(forged.no, theft)))
                forged = proposals.veto(ledger.actor(self._victim.party), forged.no)
            else:
                self._refused_before(OUT_OF_TIME, "PARTY_NOT_READY", forged.state == ProposalState.VETOED)
            skip_to(ledger, recovery.ready_at + 1)
            recovered = proposals.carry_out(recovery.no)
            theft = self._theft(forged.no)
            self._refused(AFTER_VETO, lambda: ledger.client.send(carry_out(forged.no, theft)))
            stage.count = 2
        run.powers = {
            "delay": ledger.reader.chain.delay,
            "officers": list(self._officers),
            "recovery": _shown(ledger, self._loser, recovered) | {"lost": lost, "reported_at": self._reported_at(lost)},
            "veto": _shown(ledger, self._victim, forged),
        }
        return self._caught

    def _report(self) -> str:
        """Report the firm's first key as lost. Then try a proposal with this key, which is refused. Return the key's
        account.
        """
        first, party = self._officers[0], self._loser.party
        lost = self._ledger.parties.keys.history(party)[0].account
        if not self._reported_at(lost):
            self._ledger.parties.keys.report(self._ledger.actor(first), party, lost)
        if self._recovery() is None:
            theft = self._to_a_thief(self._loser)
            self._refused(REPORTED, lambda: self._ledger.proposals.propose(party, theft))
        else:
            self._refused_before(REPORTED, "PARTY_ACCOUNT_REPORTED", not self._earlier.proposed_itself(party))
        return lost

    def _recover(self, lost: str) -> Proposal:
        """As one institution, propose a new key for the firm; as a second institution, confirm the proposal. Then the
        waiting period begins.
        """
        _, second, _ = self._officers
        if (row := self._recovery()) is None:
            fresh = self._ledger.custody.public_key(*self._ledger.custody.create())
            self._ledger.parties.keys.recover(self._ledger.actor(second), self._loser.party, fresh, lost=lost)
            return self._ledger.proposals.get(self._earlier.proposal(self._loser.party, second) or 0)
        return self._ledger.proposals.decide(second, self._theft(row.no)) if row.needs_confirmation else row

    def _forge(self) -> Proposal:
        """As one institution, propose a thief's key for the firm ``victim``; as a second institution, confirm the
        proposal.
        """
        _, second, third = self._officers
        number = self._earlier.proposal(self._victim.party, second)
        if number is None:
            number = self._ledger.proposals.propose(second, self._to_a_thief(self._victim)).no
        row = self._ledger.proposals.get(number)
        return self._ledger.proposals.confirm(self._ledger.actor(third), number) if row.needs_confirmation else row

    def _recovery(self) -> Proposal | None:
        number = self._earlier.proposal(self._loser.party, self._officers[1])
        return None if number is None else self._ledger.proposals.get(number)

    def _theft(self, number: int) -> Call:
        """Return the call that the proposal with this number contains, read from the chain."""
        with self._ledger.database.read() as session:
            found = indexed.proposal(session.connection(), self._ledger.reader.deployment, number)
        if found is None or found.call is None:
            raise ChainUnavailable("PROPOSAL_UNREADABLE", "The chain does not show the proposal's call.", hint=None)
        return found.call

    def _refused(self, case: str, act: Callable[[], object]) -> None:
        self._caught.append(refused_by_contract(case, act))

    def _refused_before(self, case: str, code: str, was: bool) -> None:
        self._caught.append(refused(case, "contract", code) if was else Caught(case, "–", "TOOK_EFFECT", "contract"))

    def _to_a_thief(self, member: Member) -> Call:
        """Return the call that replaces the member's key by a thief's key. The call contains the thief's proof that the
        thief has this key.
        """
        key = new_private_key()
        thief, row = LocalSigner(key, account_of(key)), self._ledger.parties.register.get(member.party)
        number = self._ledger.reader.party_no(member.party)
        return change_key(number, thief.kid, row.account, possession_of(self._ledger.reader.chain, thief, number))

    def _reported_at(self, account: str) -> int | None:
        history = self._ledger.parties.keys.history(self._loser.party)
        return next(key.reported_at for key in history if key.account == account)


def name_certificate(members: Mapping[str, Sequence[Member]], run: Run) -> None:
    """Add to the run's report the certificate that the firm authorised and presented with its recovered key."""
    if run.powers:
        recovery = run.powers["recovery"]
        (certificate,) = [each.certificate for each in members[SCENARIO] if each.party == recovery["party"]]
        recovery["certificate"] = certificate


def _shown(ledger: Ledger, member: Member, row: Proposal) -> dict[str, Any]:
    """Return as JSON: the firm, its present account, and the proposal about it."""
    names = ("no", "by", "confirmed_by", "at", "ready_at", "ended_at", "state")
    proposal = {name: getattr(row, name) for name in names}
    return {"party": member.party, "key": ledger.parties.register.get(member.party).account, "proposal": proposal}
