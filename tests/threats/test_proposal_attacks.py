"""Attacks on proposals and pauses: replayed, late or changed proposals, and pauses that never end."""

from __future__ import annotations

from ledger.chain.sending import calls
from ledger.chain.sending.calls import Call
from ledger.domain.days import DAY
from ledger.domain.powers import MAX_PAUSE, OPEN_FOR, PAUSE_REST
from tests.support.actors.officers import Powers
from tests.threats.refusals import CONSENT, PRESENTING, a_firm, refusals, refused

# Attacks with replayed, late or changed proposals.


def test_a_proposal_can_be_carried_out_only_once(powers: Powers) -> None:
    call = calls.accredit(powers.no(powers.cast.assessor), "S52", 1, 4_000_000_000)
    number = powers.decided(call)
    powers.pass_delay()
    powers.carry_out(number, call)
    refused(lambda: powers.carry_out(number, call), "PARTY_NOT_PENDING")
    refused(lambda: powers.act(powers.officers.third, calls.confirm(number, call)), "PARTY_NOT_PENDING")


def test_an_old_proposal_expires_and_cannot_be_carried_out(powers: Powers) -> None:
    """If old proposals did not expire, two officers could wait until the third officer leaves, and then carry out an
    old proposal.
    """
    call = calls.set_status(powers.no(a_firm(powers)[1]), "closed", "sanction")
    confirmed, waiting = powers.decided(call), powers.propose(powers.account(powers.officers.first), call)
    powers.pass_delay()
    powers.pilot.skip(OPEN_FOR + 1)
    refused(lambda: powers.carry_out(confirmed, call), "PARTY_PROPOSAL_EXPIRED")
    confirm = calls.confirm(waiting, call)
    refused(lambda: powers.act(powers.officers.second, confirm), "PARTY_PROPOSAL_EXPIRED")
    powers.ledger.follower.sync()
    assert powers.ledger.proposals.get(confirmed).state == "expired"


def test_only_the_confirmed_call_can_be_carried_out(powers: Powers) -> None:
    """A call with another key, party or contract is refused."""
    _, party, owner = a_firm(powers)
    call = powers.change_of_key(party, powers.key(), owner.kid)
    number = powers.propose(powers.account(powers.officers.first), call)
    others = [
        powers.change_of_key(party, powers.key(), owner.kid),
        powers.change_of_key(a_firm(powers)[1], powers.key()),
        Call("AssetRegistry", "reassign", ("ab" * 32, powers.no(party), "cd" * 32)),
    ]
    for other in others:
        confirm = calls.confirm(number, other)
        refused(lambda confirm=confirm: powers.act(powers.officers.second, confirm), "PARTY_ACT_DIFFERS")
    powers.act(powers.officers.second, calls.confirm(number, call))
    powers.pass_delay()
    for other in others:
        refused(lambda other=other: powers.carry_out(number, other), "PARTY_ACT_DIFFERS")
    powers.act(powers.officers.third, calls.cancel(number))


def test_a_proposal_confirmed_with_a_reported_key_is_refused(powers: Powers) -> None:
    """A thief confirms with an officer's stolen key. Before the waiting period ends, the officer reports the stolen key
    with another of its keys.
    """
    second = powers.officers.second
    stolen, own = powers.account(second), powers.further_key(second)
    call = calls.set_status(powers.no(a_firm(powers)[1]), "closed", "sanction")
    number = powers.decided(call)
    powers.send(own.kid, calls.report(powers.no(second), stolen))
    powers.pass_delay()
    refused(lambda: powers.carry_out(number, call), "PARTY_ACCOUNT_REPORTED")
    refused(lambda: powers.send(stolen, calls.confirm(number, call)), "PARTY_ALREADY_CONFIRMED")
    powers.ledger.parties.keys.settle(second)
    assert (powers.ledger.reader.officers(), powers.account(second)) == (3, own.kid)


def test_a_signed_veto_or_report_is_valid_once_and_for_one_act(powers: Powers) -> None:
    _, party, owner = a_firm(powers)
    fresh = powers.key()
    call = powers.change_of_key(party, fresh, owner.kid)
    first, second = powers.decided(call), powers.decided(call)
    sender = powers.account(powers.cast.bank)
    veto = powers.veto_by(owner, first)
    powers.send(sender, veto)
    account, _, signature = veto.args
    refused(lambda: powers.send(sender, calls.veto_for(account, second, signature)), "PARTY_SIGNATURE_INVALID")
    refused(lambda: powers.send(sender, veto), "PARTY_NOT_PENDING")
    _, _, stranger = a_firm(powers)
    refused(lambda: powers.send(sender, powers.veto_by(stranger, second)), "PARTY_NO_VETO")
    powers.send(sender, powers.veto_by(owner, second))


# Attacks with pauses.


def test_one_authority_or_supervisor_cannot_pause_for_ever(powers: Powers) -> None:
    pilot, guardian = powers.pilot, powers.officers.supervisor
    powers.act(guardian, calls.pause())
    until = powers.ledger.reader.paused_until()
    refused(lambda: powers.act(guardian, calls.pause()), "PARTY_PAUSED")
    pilot.skip(MAX_PAUSE + 1)
    assert powers.ledger.reader.paused_until() == 0
    refused(lambda: powers.act(guardian, calls.pause()), "PARTY_PAUSE_REST")
    pilot.skip(until + PAUSE_REST - powers.ledger.clock() - DAY)
    refused(lambda: powers.act(guardian, calls.pause()), "PARTY_PAUSE_REST")
    pilot.skip(DAY + 1)
    powers.act(guardian, calls.pause())
    refused(lambda: powers.act(guardian, calls.end_pause()), "PARTY_NOT_DECIDED")
    number = powers.propose(powers.account(powers.officers.first), calls.end_pause())
    powers.act(powers.officers.second, calls.confirm(number, calls.end_pause()))
    assert powers.ledger.reader.paused_until() == 0


def test_a_pause_does_not_stop_protective_acts(powers: Powers) -> None:
    """During a pause, reports, vetoes, holds, withdrawals, revocations, uses and verification still work. Proposals
    wait longer, because seconds during a pause do not count.
    """
    pilot, ledger = powers.pilot, powers.ledger
    firm, party, owner = a_firm(powers)
    other_firm = pilot.firm()
    number, other_number = pilot.certificate(firm), pilot.certificate(other_firm)
    call = powers.change_of_key(party, powers.key(), owner.kid)
    vetoed, waiting = powers.decided(call), powers.decided(call)
    powers.later()
    powers.act(powers.officers.third, calls.pause())
    assert pilot.accept(other_firm, other_number).valid
    powers.send(powers.account(powers.cast.bank), powers.veto_by(owner, vetoed))
    powers.act(powers.officers.first, calls.report(powers.no(party), owner.kid))
    ledger.certificates.holds.hold(other_number, "court", powers.officers.supervisor)
    ledger.certificates.status.revoke(other_number, "data_error")
    (consent, *_) = ledger.usage.authorizations.page(party, None, 1)
    powers.send(owner.kid, calls.withdraw(consent.digest))
    withdrawn = {PRESENTING: "KEY_REPORTED", CONSENT: "AUTHORIZATION_WITHDRAWN"}
    assert refusals(powers.judged(number, owner)) == withdrawn
    pilot.skip(MAX_PAUSE - DAY)
    refused(lambda: powers.carry_out(waiting, call), "PARTY_NOT_READY")
    pilot.skip(2 * DAY)
    refused(lambda: powers.carry_out(waiting, call), "PARTY_NOT_READY")
    powers.send(powers.account(powers.cast.bank), powers.veto_by(owner, waiting))
