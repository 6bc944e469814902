"""Officers and thieves against the real contracts: none of them speaks for a party, and the worst is silence.

Each attacker has its keys and a node; where it helps the attack, the platform is in on it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

import pytest

from ledger.certificates.lookups import certificate, payload_of
from ledger.chain.sending import asset_calls, calls
from ledger.chain.sending.calls import Call
from ledger.domain.codes import synthetic_uscc
from ledger.domain.days import DAY
from ledger.domain.parties import PartyKind, Role
from ledger.domain.powers import MAX_PAUSE, OPEN_FOR, PAUSE_REST
from ledger.errors import PingzhengError
from ledger.parties.newcomers import NewParty
from ledger.proof.jws import Signer
from ledger.proof.report import Report, Verdict
from tests.support.actors.officers import Powers, founded
from tests.support.actors.pilots import resource
from tests.support.chain.reads import is_silent

PRESENTING = 10
CONSENT = 11


@pytest.fixture(scope="module")
def powers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Powers]:
    with founded(tmp_path_factory.mktemp("powers")) as made:
        yield made


def refused(act: Callable[[], object], code: str) -> PingzhengError:
    with pytest.raises(PingzhengError) as caught:
        act()
    assert caught.value.code == code, caught.value
    return caught.value


def refusals(report: Report) -> dict[int, str]:
    """The codes of the checks that refuse it, by their numbers; nothing is told."""
    assert (report.disclosed, report.claims) == ({}, {})
    return {check.number: check.code for check in report.checks if check.verdict is Verdict.FAILED}


def consent_fails(report: Report) -> str:
    """The consent alone is what a verifier refuses; returns the code."""
    failure = report.first_failure
    assert failure is not None and failure.number == CONSENT, failure
    assert (report.disclosed, report.claims) == ({}, {})
    return failure.code


def a_firm(powers: Powers) -> tuple[str, str, Signer]:
    """A firm that no other test has: its number, its party id, and its key."""
    number = powers.pilot.firm()
    party = powers.cast.firms[number]
    return number, party, powers.actors.signer_of(party)


# Forged recovery.


@pytest.mark.parametrize("reported_first", [False, True], ids=["live key", "reported key"])
def test_two_officers_recover_a_firm_that_lost_nothing_and_the_firm_vetoes(
    powers: Powers, reported_first: bool
) -> None:
    firm, party, owner = a_firm(powers)
    if reported_first:
        powers.act(powers.officers.first, calls.report(powers.no(party), owner.kid))
    forged = powers.key()
    call = powers.change_of_key(party, forged, owner.kid)
    number = powers.decided(call)
    powers.send(powers.account(powers.cast.bank), powers.veto_by(owner, number))
    powers.pass_delay()
    refused(lambda: powers.carry_out(number, call), "PARTY_NOT_PENDING")
    assert (powers.state(number), powers.binds(forged.kid)) == ("vetoed", False)
    assert consent_fails(powers.certified_by(firm, forged)) == "KEY_UNKNOWN"


def test_a_consent_by_the_key_of_a_recovery_counts_only_once_the_delay_has_passed(powers: Powers) -> None:
    """The officers anchor a consent by their own key at once: it never counts, whatever happens later."""
    firm, party, owner = a_firm(powers)
    fresh = powers.key()
    call = powers.change_of_key(party, fresh, owner.kid)
    number = powers.decided(call)
    early = powers.certified_by(firm, fresh)
    assert consent_fails(early) == "KEY_UNKNOWN"
    refused(lambda: powers.carry_out(number, call), "PARTY_NOT_READY")
    powers.pass_delay()
    powers.carry_out(number, call)
    assert consent_fails(powers.judged(str(early.certificate_no), fresh)) == "KEY_NOT_IN_FORCE"
    report = powers.certified_by(firm, fresh)
    assert report.valid, report.first_failure


def test_one_officer_alone_binds_nothing(powers: Powers) -> None:
    _, party, owner = a_firm(powers)
    officer = powers.account(powers.officers.first)
    call = powers.change_of_key(party, powers.key(), owner.kid)
    refused(lambda: powers.send(officer, call), "PARTY_NOT_DECIDED")
    number = powers.propose(officer, call)
    refused(lambda: powers.send(officer, calls.confirm(number, call)), "PARTY_OWN_PROPOSAL")
    powers.pass_delay()
    refused(lambda: powers.carry_out(number, call), "PARTY_NOT_CONFIRMED")


# A thief has a key of the party.


def test_a_thief_rotates_and_the_owner_stops_it_with_its_other_key(powers: Powers) -> None:
    firm, party, stolen = a_firm(powers)
    own = powers.further_key(party)
    loot = powers.key()
    call = powers.change_of_key(party, loot, own.kid)
    number = powers.propose(stolen.kid, call)
    powers.send(own.kid, calls.veto(number))
    powers.pass_delay()
    refused(lambda: powers.carry_out(number, call), "PARTY_NOT_PENDING")
    assert consent_fails(powers.certified_by(firm, loot)) == "KEY_UNKNOWN"
    report = powers.certified_by(firm, own)
    assert report.valid, report.first_failure


def test_a_thief_with_a_copy_of_the_only_key_is_stopped_by_that_key(powers: Powers) -> None:
    _, party, stolen = a_firm(powers)
    call = powers.change_of_key(party, powers.key(), stolen.kid)
    number = powers.propose(stolen.kid, call)
    powers.send(powers.account(powers.cast.bank), powers.veto_by(stolen, number))
    powers.pass_delay()
    refused(lambda: powers.carry_out(number, call), "PARTY_NOT_PENDING")


def test_what_a_thief_proposed_falls_with_the_report_of_its_key(powers: Powers) -> None:
    """The owner reports the stolen key from a phone: nobody needs to veto what that key proposed."""
    _, party, stolen = a_firm(powers)
    own = powers.further_key(party)
    loot = powers.key()
    call = powers.change_of_key(party, loot, own.kid)
    number = powers.propose(stolen.kid, call)
    powers.send(powers.account(powers.cast.bank), powers.report_by(own, party, stolen.kid))
    refused(lambda: powers.propose(stolen.kid, call), "PARTY_ACCOUNT_REPORTED")
    powers.pass_delay()
    refused(lambda: powers.carry_out(number, call), "PARTY_ACCOUNT_REPORTED")
    assert not powers.binds(loot.kid)


def test_a_thief_with_a_reported_key_gives_no_consent_and_takes_it_back(powers: Powers) -> None:
    """Nor does it present what was issued before. Withdrawing stays: at worst it is silence."""
    firm, party, stolen = a_firm(powers)
    number = powers.pilot.certificate(firm)
    powers.later()
    assert powers.judged(number, stolen).valid
    powers.act(powers.officers.second, calls.report(powers.no(party), stolen.kid))
    presented = {PRESENTING: "KEY_REPORTED"}
    assert refusals(powers.judged(number, stolen)) == presented
    assert refusals(powers.certified_by(firm, stolen)) == presented | {CONSENT: "KEY_REPORTED"}
    (consent, *_) = powers.ledger.usage.authorizations.page(party, None, 1)
    powers.send(stolen.kid, calls.withdraw(consent.digest))
    assert refusals(powers.judged(number, stolen)) == presented | {CONSENT: "AUTHORIZATION_WITHDRAWN"}


def test_a_thief_of_a_reported_provider_key_ends_no_certificate(powers: Powers) -> None:
    """Nor does it keep the platform from issuing, nor the provider from withdrawing by its other key."""
    provider = powers.cast.provider
    firm, _, owner = a_firm(powers)
    stolen = powers.actors.signer_of(provider)
    own = powers.further_key(provider)
    number = powers.pilot.certificate(firm)
    with powers.ledger.database.read() as session:
        (named,) = payload_of(session, number)["provisions"]
    supplied = named.removeprefix("sha-256:")
    powers.later()
    powers.send(own.kid, calls.report(powers.no(provider), stolen.kid))
    powers.send(stolen.kid, calls.withdraw(supplied))
    assert powers.judged(number, owner).valid
    told = powers.ledger.provenances.certificate(number)
    assert "Withdrawn" not in {event["name"] for event in told.events}
    powers.send(own.kid, calls.withdraw(supplied))
    assert consent_fails(powers.judged(number, owner)) == "PROVISION_WITHDRAWN"


def test_a_thief_vetoes_a_recovery_and_gains_nothing(powers: Powers) -> None:
    """The party stays silent; it is onboarded under a new id, and two officers move its assets."""
    ledger, officers = powers.ledger, powers.officers
    (account,) = ledger.custody.create()
    uscc = synthetic_uscc("440800", 9_901)
    newcomer = NewParty(PartyKind.UTILITY, "Robbed", uscc, "440800", ledger.custody.public_key(account))
    (robbed,) = ledger.parties.onboarding.onboard(ledger.authority, [newcomer])
    (asset,) = powers.pilot.handed_in(resource("robbed/1"), by=robbed.id)
    powers.pilot.take_through([asset])
    old_number = str(ledger.registration.registrations.get(asset)["certificate_no"])
    stolen = powers.actors.signer_of(robbed.id)
    powers.act(officers.first, calls.report(powers.no(robbed.id), stolen.kid))
    call = powers.change_of_key(robbed.id, powers.key(), stolen.kid)
    number = powers.decided(call)
    powers.send(stolen.kid, calls.veto(number))
    powers.pass_delay()
    refused(lambda: powers.carry_out(number, call), "PARTY_NOT_PENDING")
    refused(lambda: powers.send(stolen.kid, calls.propose(call)), "PARTY_ACCOUNT_REPORTED")
    assert is_silent(ledger.reader, powers.no(robbed.id))

    (account,) = ledger.custody.create()
    fresh = NewParty(PartyKind.UTILITY, "Robbed", uscc, "440800", ledger.custody.public_key(account))
    (again,) = ledger.parties.onboarding.onboard(ledger.authority, [fresh])
    assert again.id != robbed.id and powers.no(again.id)
    row = ledger.registration.transfers.reassign(
        ledger.actor(officers.first), asset, again.id, "The keys are lost, the recovery was vetoed."
    )
    assert row.state == "pending" and row.confirmed_by is not None
    powers.pass_delay()
    ledger.proposals.tick()
    (issued,) = ledger.registration.transfers.follow()
    assert (powers.pilot.record(asset).holder, issued.subject) == (again.id, again.id)
    ledger.anchoring.flush()
    assert powers.pilot.verified(issued.certificate_no).valid
    assert not powers.pilot.verified(old_number).valid
    assert ledger.registration.transfers.follow() == []


def test_the_asset_of_a_holder_that_speaks_is_not_given_away(powers: Powers) -> None:
    asset, other = powers.pilot.confirmed(), powers.cast.bank
    holder = powers.pilot.record(asset).holder
    reassign, officer = (
        powers.ledger.registration.transfers.reassign,
        powers.ledger.actor(powers.officers.first),
    )
    refused(lambda: reassign(officer, asset, other, "Because we can."), "ASSET_HOLDER_SPEAKS")
    call = asset_calls.reassign(asset, powers.no(other), "ab" * 32)
    refused(lambda: powers.act(powers.officers.first, call), "ASSET_NOT_DECIDED")
    number = powers.decided(call)
    assert number in [row.no for row in powers.ledger.proposals.pending(holder)]
    powers.pass_delay()
    refused(lambda: powers.carry_out(number, call), "ASSET_HOLDER_SPEAKS")
    assert powers.pilot.record(asset).holder == holder


# A second id for one firm.


def test_one_admin_alone_registers_no_second_id(powers: Powers) -> None:
    """Neither by itself, nor with an officer's key: another office must confirm the very list."""
    admin = powers.pilot.party(PartyKind.OPERATOR, Role.ADMIN)
    powers.pass_delay()
    powers.ledger.proposals.tick()
    second = hashlib.sha256(b"a second id").hexdigest()
    call = powers.registration(second, powers.key())
    account = powers.account(admin)
    refused(lambda: powers.send(account, call), "PARTY_NOT_DECIDED")
    (event,) = powers.send(account, calls.propose_registration(powers.ledger.client.act_of(call))).named("Proposed")
    number = event.args["no"]
    refused(lambda: powers.send(account, calls.confirm(number, call)), "PARTY_OWN_PROPOSAL")
    refused(lambda: powers.carry_out(number, call), "PARTY_NOT_CONFIRMED")
    other = powers.registration(second, powers.key())
    refused(lambda: powers.act(powers.officers.first, calls.confirm(number, other)), "PARTY_ACT_DIFFERS")
    assert powers.ledger.reader.party_no(second) == 0
    assert number in [row.no for row in powers.ledger.proposals.pending()]
    refused(lambda: powers.act(powers.officers.third, calls.cancel(number)), "PARTY_NOT_CANCELLABLE")
    powers.pilot.skip(OPEN_FOR + 1)
    refused(lambda: powers.act(powers.officers.first, calls.confirm(number, call)), "PARTY_PROPOSAL_EXPIRED")


def test_a_list_does_not_register_somebody_elses_key(powers: Powers) -> None:
    """Without the proof of its holder a key is bound to nobody: a party cannot be made that blocks another's key."""
    victim, thief = powers.key(), powers.key()
    second = hashlib.sha256(b"a party with another's key").hexdigest()
    proof = powers.registration(second, thief).args[0][0][1][0][1]
    call = calls.register_parties([calls.PartyRegistration(second, ((victim.kid, proof),), 1)])
    (event,) = powers.act(powers.officers.first, calls.propose_registration(powers.ledger.client.act_of(call))).named(
        "Proposed"
    )
    confirm = calls.confirm(event.args["no"], call)
    refused(lambda: powers.act(powers.officers.second, confirm), "PARTY_PROOF_INVALID")


# Officers against officers and parties.


def test_two_officers_do_not_strip_the_third(powers: Powers) -> None:
    """Three officers remain after every act. What is held against one of them the others can cancel, and it cannot."""
    officers, reader = powers.officers, powers.ledger.reader
    no = powers.no(officers.third)
    strip, close = calls.set_roles(no, 0), calls.set_status(no, "closed", "sanction")
    report = calls.report(no, powers.account(officers.third))
    refused(lambda: powers.act(officers.first, strip), "PARTY_OFFICE_BY_PROPOSAL")
    refused(lambda: powers.act(officers.first, close), "PARTY_NOT_DECIDED")
    refused(lambda: powers.act(officers.first, report), "PARTY_NOT_DECIDED")
    numbers = {powers.decided(call): call for call in (strip, close, report)}
    cancelled = powers.decided(calls.set_status(no, "suspended", "court"))
    refused(lambda: powers.act(officers.third, calls.cancel(cancelled)), "PARTY_SELF_GRANT")
    powers.act(officers.second, calls.cancel(cancelled))
    powers.pass_delay()
    for number, call in numbers.items():
        refused(lambda number=number, call=call: powers.carry_out(number, call), "PARTY_TOO_FEW_OFFICERS")
    assert (reader.officers(), powers.state(cancelled)) == (3, "cancelled")
    assert reader.party(no).status == "active"
    powers.pilot.skip(OPEN_FOR + 1)


def test_no_officer_gives_itself_anything(powers: Powers) -> None:
    officer = powers.officers.first
    account, no = powers.account(officer), powers.no(officer)
    for call in (calls.set_roles(no, 0b11111111111), calls.accredit(no, "S51", 1, 4_000_000_000)):
        refused(lambda call=call: powers.propose(account, call), "PARTY_SELF_GRANT")
    refused(lambda: powers.send(account, calls.accredit(powers.no(powers.cast.bank), "S51", 1, 2)), "PARTY_NOT_DECIDED")


def test_one_officer_closes_no_party_and_dates_no_compromise(powers: Powers) -> None:
    """What was issued stays valid, and a certificate of a firm that the officer tried to end as well."""
    firm, party, owner = a_firm(powers)
    number = powers.pilot.certificate(firm)
    no, operator = powers.no(party), powers.no(powers.ledger.installation.operator)
    key = powers.account(powers.ledger.installation.operator)
    tries = [
        calls.set_status(no, "closed", "sanction"),
        calls.set_status(operator, "closed", "sanction"),
        calls.date_compromise(operator, key, 1),
    ]
    officer = powers.account(powers.officers.first)
    for call in tries:
        refused(lambda call=call: powers.send(officer, call), "PARTY_NOT_DECIDED")
        proposal = powers.propose(officer, call)
        powers.act(powers.officers.second, calls.cancel(proposal))
        refused(lambda proposal=proposal, call=call: powers.carry_out(proposal, call), "PARTY_NOT_PENDING")
    assert powers.judged(number, owner).valid


def test_two_accounts_of_one_party_are_not_two_officers(powers: Powers) -> None:
    first = powers.officers.first
    second_account = powers.further_key(first)
    call = calls.set_status(powers.no(powers.cast.firms["2"]), "closed", "sanction")
    number = powers.propose(powers.account(first), call)
    refused(lambda: powers.send(second_account.kid, calls.confirm(number, call)), "PARTY_OWN_PROPOSAL")
    powers.act(powers.officers.third, calls.cancel(number))


def test_an_officer_does_not_confirm_what_concerns_itself(powers: Powers) -> None:
    call = calls.set_roles(powers.no(powers.officers.second), Role.mask({Role.AUTHORITY, Role.ADMIN}))
    number = powers.propose(powers.account(powers.officers.first), call)
    refused(lambda: powers.act(powers.officers.second, calls.confirm(number, call)), "PARTY_SELF_GRANT")
    powers.act(powers.officers.third, calls.cancel(number))


# Holds.


def held_by_a_supervisor(powers: Powers) -> tuple[str, Signer, list[str]]:
    firm, _, owner = a_firm(powers)
    number = powers.pilot.certificate(firm)
    powers.ledger.certificates.holds.hold(number, "court", powers.officers.supervisor)
    with powers.ledger.database.read() as session:
        digest = certificate(session, number).digest
    return number, owner, [digest]


def test_a_hold_is_not_lifted_by_one_officer_or_by_another_office(powers: Powers) -> None:
    number, owner, held = held_by_a_supervisor(powers)
    officers, lift = powers.officers, calls.lift("supervisor", held)
    refused(lambda: powers.act(officers.supervisor, lift), "LOG_NOT_DECIDED")
    refused(lambda: powers.propose(powers.account(officers.first), lift), "PARTY_LACKS_ROLE")
    proposal = powers.propose(powers.account(officers.supervisor), lift)
    refused(lambda: powers.act(officers.supervisor, calls.confirm(proposal, lift)), "PARTY_OWN_PROPOSAL")
    refused(lambda: powers.act(officers.first, calls.confirm(proposal, lift)), "PARTY_LACKS_ROLE")
    own = calls.lift("authority", held)
    proposal = powers.propose(powers.account(officers.first), own)
    refused(lambda: powers.act(officers.second, calls.confirm(proposal, own)), "LOG_NOT_HELD")
    refused(lambda: powers.act(officers.third, calls.cancel(proposal)), "PARTY_NOT_CANCELLABLE")
    refused(lambda: powers.ledger.certificates.status.resume(number, "lifted"), "LOG_NOT_SUSPENDED")
    assert powers.judged(number, owner).result == "suspended"


def test_two_officers_of_the_office_lift_its_hold(powers: Powers) -> None:
    number, owner, _ = held_by_a_supervisor(powers)
    row = powers.ledger.certificates.holds.lift(number, "lifted", powers.officers.supervisor)
    assert (row.state, row.by, row.confirmed_by) == (
        "carried_out",
        powers.officers.supervisor,
        powers.officers.other_supervisor,
    )
    assert powers.judged(number, owner).valid


def test_no_office_ends_a_certificate(powers: Powers) -> None:
    """In its own log an office has none; the issuer's log is the issuer's."""
    firm, _, owner = a_firm(powers)
    number = powers.pilot.certificate(firm)
    place = powers.ledger.certificates.status.position(number)
    for office in (powers.cast.registrar, powers.officers.first, powers.officers.supervisor):
        for call in (calls.revoke(place.batch, place.index, "fraud"), calls.suspend(place.batch, place.index, "fraud")):
            refused(lambda office=office, call=call: powers.act(office, call), "PARTY_LACKS_ROLE")
    assert powers.judged(number, owner).valid


# Proposals that are replayed, late, or changed.


def test_a_proposal_is_carried_out_once(powers: Powers) -> None:
    call = calls.accredit(powers.no(powers.cast.assessor), "S52", 1, 4_000_000_000)
    number = powers.decided(call)
    powers.pass_delay()
    powers.carry_out(number, call)
    refused(lambda: powers.carry_out(number, call), "PARTY_NOT_PENDING")
    refused(lambda: powers.act(powers.officers.third, calls.confirm(number, call)), "PARTY_NOT_PENDING")


def test_a_proposal_expires(powers: Powers) -> None:
    """Whoever waits for the third officer to leave cannot bring out an old proposal."""
    call = calls.set_status(powers.no(powers.cast.firms["3"]), "closed", "sanction")
    confirmed, waiting = powers.decided(call), powers.propose(powers.account(powers.officers.first), call)
    powers.pass_delay()
    powers.pilot.skip(OPEN_FOR + 1)
    refused(lambda: powers.carry_out(confirmed, call), "PARTY_PROPOSAL_EXPIRED")
    confirm = calls.confirm(waiting, call)
    refused(lambda: powers.act(powers.officers.second, confirm), "PARTY_PROPOSAL_EXPIRED")
    assert powers.ledger.proposals.get(confirmed).state == "expired"


def test_a_proposal_is_of_the_very_call_that_was_confirmed(powers: Powers) -> None:
    """Not of another key, not of another party, not of another contract."""
    _, party, owner = a_firm(powers)
    call = powers.change_of_key(party, powers.key(), owner.kid)
    number = powers.propose(powers.account(powers.officers.first), call)
    others = [
        powers.change_of_key(party, powers.key(), owner.kid),
        powers.change_of_key(powers.cast.firms["4"], powers.key()),
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


def test_a_proposal_falls_with_an_officer_whose_key_is_reported(powers: Powers) -> None:
    """A stolen office's key confirmed; its owner reports it with another key of the office before the delay is over."""
    second = powers.officers.second
    stolen, own = powers.account(second), powers.further_key(second)
    call = calls.set_status(powers.no(powers.cast.firms["5"]), "closed", "sanction")
    number = powers.decided(call)
    powers.send(own.kid, calls.report(powers.no(second), stolen))
    powers.pass_delay()
    refused(lambda: powers.carry_out(number, call), "PARTY_ACCOUNT_REPORTED")
    refused(lambda: powers.send(stolen, calls.confirm(number, call)), "PARTY_ALREADY_CONFIRMED")
    powers.ledger.parties.keys.settle(second)
    assert (powers.ledger.reader.officers(), powers.account(second)) == (3, own.kid)


def test_signatures_of_a_veto_and_a_report_serve_once_and_for_one_thing(powers: Powers) -> None:
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
    stranger = powers.actors.signer_of(powers.cast.firms["6"])
    refused(lambda: powers.send(sender, powers.veto_by(stranger, second)), "PARTY_NO_VETO")
    powers.send(sender, powers.veto_by(owner, second))


# Pauses.


def test_a_guardian_does_not_pause_for_ever(powers: Powers) -> None:
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


def test_a_pause_does_not_stop_whoever_defends_itself(powers: Powers) -> None:
    """Reports, vetoes, holds, withdrawals, revocations, uses and verification go on; delays do not."""
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
