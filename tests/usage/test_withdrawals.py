"""Withdrawals through the service: the party signs its own act, the service sends the act, and the issuer revokes
certificates.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from ledger.chain.accounts import new_p256_key, new_sm2_key
from ledger.chain.sending.calls import withdraw_for
from ledger.connectors.answers import Supplied
from ledger.domain.parties import PartyKind, Role
from ledger.errors import Conflict, Forbidden, InvalidInput, NotFound
from ledger.parties.keys.possession import possession_of
from ledger.proof.acts import sign_act, withdrawals_message
from ledger.proof.jws import Es256Signer, Signer, Sm2Signer, sign_entry
from ledger.proof.verifier import Expectation
from ledger.usage.lookups import provisions_of
from ledger.usage.tables import Provision
from tests.support.actors.consents import Consent
from tests.support.actors.credit_bureau import AS_OF
from tests.support.actors.pilots import ROWS, Pilot


@pytest.fixture
def consent(pilot: Pilot) -> Consent:
    return Consent(pilot)


def bind(pilot: Pilot, party: str, signer: Signer) -> None:
    """Bind a further key of the party. The party proposes the key itself, or the authorities propose it if the chain
    cannot check the key.
    """
    ledger = pilot.ledger
    proof = possession_of(ledger.reader.chain, signer, ledger.reader.party_no(party))
    by = ledger.installation.authority_party if isinstance(signer, Sm2Signer) else party
    row = ledger.parties.keys.bind(ledger.actor(by), party, signer.public_key, proof)
    assert row is not None and row.state == "carried_out"


def supplied_by(pilot: Pilot, provider: str) -> Pilot:
    """Return a pilot with the same parties, except that ``provider`` provides the data. Its firms are those that no
    other test uses.
    """
    other = Pilot(pilot.ledger, replace(pilot.cast, provider=provider))
    other.firm = pilot.firm  # type: ignore[method-assign]
    return other


def supplied_under(consent: Consent) -> Provision:
    with consent.pilot.ledger.database.read() as session:
        (supplied,) = provisions_of(session, consent.given.id)
    return supplied


def test_the_service_sends_the_act_that_the_subject_signed(consent: Consent, pilot: Pilot) -> None:
    entry = consent.withdraw()
    report = consent.report()
    assert report.checks[10].code == "AUTHORIZATION_WITHDRAWN"
    assert report.checks[10].details["since"] == consent.since() > 0
    assert (report.checks[7].code, report.result, report.disclosed) == ("REVOKED", "revoked", {})
    status = pilot.ledger.verification.status(consent.number)
    assert (status["state"], status["reason"]) == ("revoked", "consent_withdrawn")
    assert len(consent.recorded()) == 1
    assert consent.given.id not in [row.id for row in pilot.ledger.usage.direct_withdrawals.follow()]
    # If the withdrawal is submitted again, with or without the act, nothing more is sent or recorded.
    block = pilot.ledger.reader.block_number()
    pilot.ledger.usage.withdrawals.withdraw(entry, None)
    assert (pilot.ledger.reader.block_number(), len(consent.recorded())) == (block, 1)


def test_a_withdrawal_without_the_subjects_signed_act_is_refused(consent: Consent, pilot: Pilot) -> None:
    draft = consent.draft()
    entry = sign_entry(draft.entry, consent.signer)
    with pytest.raises(Conflict, match="ACT_SIGNATURE_REQUIRED") as asked:
        pilot.ledger.usage.withdrawals.withdraw(entry, None)
    assert draft.message is not None
    assert asked.value.details == {"account": consent.signer.kid, "to_sign": draft.message.hex()}
    for other in (pilot.cast.bank, pilot.ledger.installation.operator):
        with pytest.raises(Forbidden, match="LOG_SIGNATURE_INVALID"):
            pilot.ledger.usage.withdrawals.withdraw(entry, sign_act(draft.message, pilot.actors.signer_of(other)))
    assert consent.untouched()


def test_only_the_subject_can_withdraw_its_authorization(consent: Consent, pilot: Pilot) -> None:
    """Consumer, provider and platform cannot withdraw the authorization, neither in their own name nor in the subject's
    name.
    """
    withdraw, other = pilot.ledger.usage.withdrawals.withdraw, Consent(pilot)
    for party in (pilot.cast.bank, pilot.cast.provider, pilot.ledger.installation.operator, other.subject):
        signer, draft = pilot.actors.signer_of(party), consent.draft()
        assert draft.message is not None
        for named in (consent.subject, party):
            entry = sign_entry(draft.entry | {"party": named}, signer)
            with pytest.raises(Forbidden, match="SIGNER_NOT_SUBJECT"):
                withdraw(entry, sign_act(draft.message, signer))
    assert consent.untouched() and other.untouched()


def test_a_withdrawal_of_an_unknown_statement_is_refused(consent: Consent, pilot: Pilot) -> None:
    withdraw, draft = pilot.ledger.usage.withdrawals.withdraw, consent.draft()
    for member, value, code in (
        ("ledger", "ab" * 32, "LEDGER_DIFFERS"),
        ("v", 1, "PROTOCOL_UNSUPPORTED"),
        ("type", "authorization", "ENTRY_SHAPE"),
        ("iat", draft.entry["iat"] + 3600, "SIGNED_IN_FUTURE"),
    ):
        with pytest.raises(InvalidInput, match=code):
            withdraw(sign_entry(draft.entry | {member: value}, consent.signer), None)
    with pytest.raises(NotFound, match="STATEMENT_UNKNOWN"):
        withdraw(sign_entry(draft.entry | {"statement": f"sha-256:{'ab' * 32}"}, consent.signer), None)
    with pytest.raises(NotFound, match="STATEMENT_UNKNOWN"):
        pilot.ledger.usage.withdrawals.draft("01JZZZZZZZZZZZZZZZZZZZZZZZ")
    with pytest.raises(Forbidden, match="PARTY_UNKNOWN_ACCOUNT"):
        pilot.ledger.usage.withdrawals.draft(consent.given.id, pilot.actors.signer_of(pilot.cast.bank).kid)
    assert consent.untouched()


def test_a_subject_can_withdraw_with_a_p256_key(consent: Consent, pilot: Pilot) -> None:
    signer = Es256Signer(new_p256_key())
    bind(pilot, consent.subject, signer)
    consent.withdraw(signer)
    assert consent.since() > 0
    assert consent.report().checks[10].code == "AUTHORIZATION_WITHDRAWN"


def test_a_subject_with_an_sm2_key_withdraws_by_the_signed_entry_alone(consent: Consent, pilot: Pilot) -> None:
    """The chain cannot check SM2 signatures, so no act is sent to the chain. The bundle contains the signed entry, and
    the issuer revokes the certificate.
    """
    signer = Sm2Signer(new_sm2_key())
    bind(pilot, consent.subject, signer)
    assert consent.draft(signer).message is None
    consent.withdraw(signer)
    assert consent.since() == 0
    assert consent.report().checks[7].code == "REVOKED"
    bundle, nonce = pilot.present(consent.firm, consent.number)
    expect = Expectation(consumer=pilot.cast.bank, nonce=nonce)
    report = pilot.ledger.verification.verify(bundle.to_bytes(), expect).report
    assert report.checks[10].code == "AUTHORIZATION_WITHDRAWN"
    assert consent.given.id not in [row.id for row in pilot.ledger.usage.direct_withdrawals.follow()]


def test_a_provider_can_withdraw_its_own_provision(consent: Consent, pilot: Pilot) -> None:
    """A withdrawn provision does not end the authorization. But verifiers refuse the certificates that rest on the
    provision.
    """
    ledger = pilot.ledger
    supplied = supplied_under(consent)
    signer, draft = pilot.actors.signer_of(pilot.cast.provider), ledger.usage.withdrawals.draft(supplied.id)
    assert draft.message is not None and draft.entry["party"] == pilot.cast.provider
    with pytest.raises(Forbidden, match="SIGNER_NOT_PROVIDER"):
        ledger.usage.withdrawals.relay(sign_entry(draft.entry, consent.signer), None)
    entry, act = sign_entry(draft.entry, signer), sign_act(draft.message, signer)
    with pytest.raises(NotFound, match="AUTHORIZATION_UNKNOWN"):
        ledger.usage.withdrawals.withdraw(entry, act)
    for _ in range(2):
        ledger.usage.withdrawals.relay(entry, act)
    number = ledger.reader.party_no(pilot.cast.provider)
    assert ledger.reader.withdrawn_at(number, supplied.digest).at > 0
    report = consent.report()
    assert (report.checks[10].code, report.result) == ("PROVISION_WITHDRAWN", "revoked")
    assert (ledger.usage.authorizations.get(consent.given.id).state, consent.since()) == ("active", 0)


def test_a_subject_can_withdraw_with_a_key_that_was_reported_lost(consent: Consent, pilot: Pilot) -> None:
    """A thief with the lost key can do no more than stop uses of the subject's data. The chain records that the
    withdrawal was made with a reported key.
    """
    pilot.skip(5)
    ledger = pilot.ledger
    ledger.parties.keys.report(ledger.authority, consent.subject, consent.signer.kid)
    entry = consent.withdraw()
    reader = ledger.reader
    block = reader.block_number()
    assert ledger.usage.withdrawals.withdraw(entry, None).state == "withdrawn"
    assert reader.block_number() == block
    found = reader.withdrawn_at(reader.party_no(consent.subject), consent.given.digest)
    assert (found.at, found.reported_at) == (0, consent.since())
    assert found.reported_at > 0
    assert consent.report().checks[10].code == "AUTHORIZATION_WITHDRAWN"
    assert ledger.verification.status(consent.number)["state"] == "revoked"
    history = ledger.provenances.certificate(consent.number)
    assert [event["by"] for event in history.events if event["name"] == "Withdrawn"] == [consent.subject]


def test_a_direct_withdrawal_with_a_key_that_was_reported_lost_is_carried_out(consent: Consent, pilot: Pilot) -> None:
    ledger = pilot.ledger
    ledger.usage.direct_withdrawals.follow()
    ledger.parties.keys.report(ledger.authority, consent.subject, consent.signer.kid)
    message = withdrawals_message(ledger.reader.chain, consent.signer.kid, [consent.given.digest])
    ledger.client.send(withdraw_for(consent.signer.kid, [consent.given.digest], sign_act(message, consent.signer)))
    assert consent.given.id in [row.id for row in ledger.usage.direct_withdrawals.follow()]
    assert ledger.verification.status(consent.number)["state"] == "revoked"


def test_a_provision_cannot_be_withdrawn_with_a_key_that_was_reported_lost(pilot: Pilot) -> None:
    """A withdrawal with a lost key would let a thief end every certificate with the provider's data. The withdrawal is
    refused both through the service and directly on the chain.
    """
    ledger = pilot.ledger
    provider = pilot.party(PartyKind.UTILITY, Role.PROVIDER)
    stolen, own = pilot.actors.signer_of(provider), Es256Signer(new_p256_key())
    bind(pilot, provider, own)
    at_provider = supplied_by(pilot, provider)
    consent = Consent(at_provider)
    supplied = supplied_under(consent)
    firm = pilot.firm()
    waiting = at_provider.authorise(firm)
    at_provider.supply(firm, waiting)
    with ledger.database.read() as session:
        (unused,) = provisions_of(session, waiting)
    ledger.anchoring.flush()
    pilot.skip(5)
    ledger.parties.keys.report(ledger.actor(provider), provider, stolen.kid)
    draft = ledger.usage.withdrawals.draft(supplied.id, stolen.kid)
    assert draft.message is not None
    entry, act = sign_entry(draft.entry, stolen), sign_act(draft.message, stolen)
    for take_back in (ledger.usage.withdrawals.relay, ledger.usage.withdrawals.withdraw_provision):
        with pytest.raises(Forbidden, match="KEY_REPORTED"):
            take_back(entry, act)
    ledger.client.send(withdraw_for(stolen.kid, [supplied.digest], act))
    message = withdrawals_message(ledger.reader.chain, stolen.kid, [unused.digest])
    ledger.client.send(withdraw_for(stolen.kid, [unused.digest], sign_act(message, stolen)))
    found = ledger.reader.withdrawn_at(ledger.reader.party_no(provider), supplied.digest)
    assert found.at == 0 and found.reported_at > 0
    assert consent.report().valid
    assert ledger.verification.status(consent.number)["state"] == "active"
    assert at_provider.actors.issue({firm: waiting})[firm]
    draft = ledger.usage.withdrawals.draft(supplied.id, own.kid)
    assert draft.message is not None
    ledger.usage.withdrawals.withdraw_provision(sign_entry(draft.entry, own), sign_act(draft.message, own))
    assert consent.report().checks[10].code == "PROVISION_WITHDRAWN"


def test_a_correction_whose_withdrawal_is_signed_with_a_lost_key_is_not_recorded(pilot: Pilot) -> None:
    ledger, provider = pilot.ledger, pilot.party(PartyKind.UTILITY, Role.PROVIDER)
    stolen, own = pilot.actors.signer_of(provider), Es256Signer(new_p256_key())
    bind(pilot, provider, own)
    consent = Consent(supplied_by(pilot, provider))
    supply = pilot.actors.draft(consent.given.id, Supplied(ROWS[:1], AS_OF, ledger.clock()))
    assert supply.withdrawn is not None
    pilot.skip(5)
    ledger.parties.keys.report(ledger.actor(provider), provider, stolen.kid)
    with pytest.raises(Forbidden, match="SIGNER_NOT_PROVIDER"):
        ledger.usage.provisions.submit([replace(supply, entry=sign_entry(supply.entry, own))])
    supplied_under(consent)
    assert consent.report().checks[10].code == "OK"
