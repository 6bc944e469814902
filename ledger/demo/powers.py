"""A firm loses its key and gets another one after the delay; a forged recovery of another firm ends by its veto."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ledger.chain.accounts import account_of, new_private_key
from ledger.chain.calls import Call, carry_out, change_key
from ledger.demo.mixture import Fate
from ledger.demo.people import Member
from ledger.demo.registration import skip_to
from ledger.demo.stages import Run
from ledger.demo.tally import Caught
from ledger.demo.unhappy import refused_by_contract
from ledger.proof.jws import LocalSigner
from ledger.service.possession import possession_of
from ledger.service.proposals import ProposalRow
from ledger.service.wiring import Ledger

SCENARIO: Final = "S01"
STAGE: Final = "密钥恢复与否决 recover one key, veto a forged recovery"


def two_firms(before: Mapping[str, Sequence[Member]], present: Mapping[str, Sequence[Member]]) -> list[Member]:
    """Members to whom nothing else happens, and whose firms hold no certificate yet: it would need the lost key."""
    certified = {member.party for group in before.values() for member in group}
    free = [each for each in present[SCENARIO] if each.fate is Fate.ORDINARY and each.party not in certified]
    return free[:2]


def recover_and_veto(ledger: Ledger, loser: Member, victim: Member, run: Run) -> list[Caught]:
    """Recover the key of ``loser`` and let ``victim`` veto a recovery of its own; returns what was refused.

    The local chain's clock is moved past the delay, for which there must be time before the present.
    """
    first, second, third = ledger.installation.officers[:3]
    proposals = ledger.proposals
    with run.stage(STAGE) as stage:
        lost = ledger.parties.get(loser.party).account
        ledger.party_keys.report(loser.party, lost, by=first)
        case = "用已报失的密钥换钥 a reported key proposes the key of a thief"
        caught = [refused_by_contract(case, lambda: proposals.propose(loser.party, _to_a_thief(ledger, loser)))]
        fresh = ledger.custody.public_key(*ledger.custody.create())
        ledger.party_keys.recover(second, loser.party, fresh)
        (recovery,) = proposals.pending(loser.party)
        theft = _to_a_thief(ledger, victim)
        forged = proposals.propose(second, theft).no
        proposals.confirm(forged, third)
        case = "等待期内执行伪造的恢复 a forged recovery carried out before its time"
        caught.append(refused_by_contract(case, lambda: ledger.client.send(carry_out(forged, theft))))
        vetoed = proposals.veto(forged, victim.party)
        skip_to(ledger, recovery.ready_at + 1)
        recovered = proposals.carry_out(recovery.no)
        case = "执行已被否决的恢复 a forged recovery carried out after the veto"
        caught.append(refused_by_contract(case, lambda: ledger.client.send(carry_out(forged, theft))))
        stage.count = 2
    run.powers = {
        "delay": ledger.reader.chain.delay,
        "officers": [first, second, third],
        "recovery": _told(ledger, loser, recovered) | {"lost": lost, "reported_at": _reported_at(ledger, loser, lost)},
        "veto": _told(ledger, victim, vetoed),
    }
    return caught


def name_certificate(members: Mapping[str, Sequence[Member]], run: Run) -> None:
    """Name the certificate that the firm allowed and presented by its new key, if a key was recovered."""
    if run.powers:
        recovery = run.powers["recovery"]
        (certificate,) = [each.certificate for each in members[SCENARIO] if each.party == recovery["party"]]
        recovery["certificate"] = certificate


def _to_a_thief(ledger: Ledger, member: Member) -> Call:
    """The act that would put the key of a thief, who proves that it has it, in place of the firm's."""
    key = new_private_key()
    thief, row = LocalSigner(key, account_of(key)), ledger.parties.get(member.party)
    number = ledger.reader.party_no(member.party)
    return change_key(number, thief.kid, row.account, possession_of(ledger.reader.chain, thief, number))


def _told(ledger: Ledger, member: Member, row: ProposalRow) -> dict[str, Any]:
    """The firm, the account that it has now, and the proposal about it."""
    names = ("no", "by", "confirmed_by", "at", "ready_at", "ended_at", "state")
    proposal = {name: getattr(row, name) for name in names}
    return {"party": member.party, "key": ledger.parties.get(member.party).account, "proposal": proposal}


def _reported_at(ledger: Ledger, member: Member, account: str) -> int | None:
    return next(key.reported_at for key in ledger.party_keys.history(member.party) if key.account == account)
