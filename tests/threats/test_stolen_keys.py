"""Attacks with stolen keys and with false recoveries of keys. The owner stops such an attack with a veto, signed with
any of its keys, or with a report of the stolen key.

Each attacker has its own keys and a node of the chain; the platform helps the attacker where it can.
"""

from __future__ import annotations

import pytest

from ledger.certificates.lookups import payload_of
from ledger.chain.sending import asset_calls, calls
from ledger.domain.codes import synthetic_uscc
from ledger.domain.parties import PartyKind
from ledger.parties.newcomers import NewParty
from tests.support.actors.officers import Powers
from tests.support.actors.pilots import resource
from tests.support.chain.reads import is_silent
from tests.threats.refusals import CONSENT, PRESENTING, a_firm, consent_fails, refusals, refused

# Attacks with false recoveries.


@pytest.mark.parametrize("reported_first", [False, True], ids=["live key", "reported key"])
def test_a_firm_vetoes_a_false_recovery_by_two_officers(powers: Powers, reported_first: bool) -> None:
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


def test_a_consent_signed_with_a_recovered_key_is_valid_only_after_the_waiting_period(powers: Powers) -> None:
    """Officers propose a new key for the subject. With the new key, they sign a consent and anchor the consent before
    the key is bound. This consent never becomes valid.
    """
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


def test_one_officer_alone_cannot_bind_a_key(powers: Powers) -> None:
    _, party, owner = a_firm(powers)
    officer = powers.account(powers.officers.first)
    call = powers.change_of_key(party, powers.key(), owner.kid)
    refused(lambda: powers.send(officer, call), "PARTY_NOT_DECIDED")
    number = powers.propose(officer, call)
    refused(lambda: powers.send(officer, calls.confirm(number, call)), "PARTY_OWN_PROPOSAL")
    powers.pass_delay()
    refused(lambda: powers.carry_out(number, call), "PARTY_NOT_CONFIRMED")


# Attacks with stolen keys.


def test_an_owner_with_a_second_key_can_veto_a_thiefs_rotation(powers: Powers) -> None:
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


def test_an_owner_can_veto_a_thiefs_rotation_with_the_key_that_was_stolen(powers: Powers) -> None:
    _, party, stolen = a_firm(powers)
    call = powers.change_of_key(party, powers.key(), stolen.kid)
    number = powers.propose(stolen.kid, call)
    powers.send(powers.account(powers.cast.bank), powers.veto_by(stolen, number))
    powers.pass_delay()
    refused(lambda: powers.carry_out(number, call), "PARTY_NOT_PENDING")


def test_a_thiefs_proposal_is_refused_after_the_stolen_key_is_reported(powers: Powers) -> None:
    """The owner reports the stolen key from a phone. No veto is needed then: proposals made with the reported key are
    refused.
    """
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


def test_a_reported_key_can_withdraw_consents_but_cannot_give_consents_or_present(powers: Powers) -> None:
    """A reported key cannot present certificates, even certificates that were issued before the report. With a reported
    key, a subject can still withdraw consents.
    """
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


def test_a_reported_provider_key_ends_no_certificate(powers: Powers) -> None:
    """A thief with a provider's reported key cannot end certificates by withdrawing provisions. The provider can still
    withdraw them with another key.
    """
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
    history = powers.ledger.provenances.certificate(number)
    assert "Withdrawn" not in {event["name"] for event in history.events}
    powers.send(own.kid, calls.withdraw(supplied))
    assert consent_fails(powers.judged(number, owner)) == "PROVISION_WITHDRAWN"
    # From here on, the service signs the provider's provisions with the remaining key, because other tests need
    # provisions.
    powers.ledger.parties.keys.settle(provider)


def test_a_thief_that_vetoes_the_owners_recovery_gains_nothing(powers: Powers) -> None:
    """After the thief's veto the party has no key left. It is onboarded again with a new id, and two officers reassign
    its assets to this id.
    """
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


def test_the_asset_of_a_holder_with_an_active_key_is_not_reassigned(powers: Powers) -> None:
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
    powers.ledger.follower.sync()
    assert number in [row.no for row in powers.ledger.proposals.pending(holder)]
    powers.pass_delay()
    refused(lambda: powers.carry_out(number, call), "ASSET_HOLDER_SPEAKS")
    assert powers.pilot.record(asset).holder == holder
