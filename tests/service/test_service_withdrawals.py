"""Withdrawals through the service: the party signs its own act, the service sends it, and the issuer ends the rest."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from ledger.chain.accounts import new_p256_key, new_sm2_key
from ledger.errors import Conflict, Forbidden, InvalidInput, NotFound
from ledger.proof.acts import sign_act
from ledger.proof.jws import Es256Signer, Signer, Sm2Signer, sign_entry
from ledger.proof.report import Report
from ledger.proof.verifier import Expectation
from ledger.service.withdrawals import WithdrawalDraft
from ledger.store.records import provisions_of
from ledger.store.tables import Entry
from tests.service.conftest import Pilot


class Consent:
    """A firm's consent with the certificate and the presentation that rest on it."""

    def __init__(self, pilot: Pilot) -> None:
        self.pilot, self.firm = pilot, pilot.firm()
        self.number = pilot.certificate(self.firm)
        self.bundle, self.nonce = pilot.present(self.firm, self.number)
        self.subject = pilot.cast.firms[self.firm]
        (self.given,) = pilot.ledger.authorizations.page(self.subject, None, 9)
        self.signer = pilot.bureau.signer_of(self.subject)

    def report(self) -> Report:
        """What the bank finds of the presentation that it was handed before."""
        expect = Expectation(consumer=self.pilot.cast.bank, nonce=self.nonce)
        return self.pilot.ledger.verification.verify(self.bundle.to_bytes(), expect).report

    def draft(self, signer: Signer | None = None) -> WithdrawalDraft:
        return self.pilot.ledger.withdrawals.draft(self.given.id, (signer or self.signer).kid)

    def withdraw(self, signer: Signer | None = None) -> dict[str, Any]:
        """As the subject does it; returns the entry."""
        signer = signer or self.signer
        draft = self.draft(signer)
        entry = sign_entry(draft.entry, signer)
        act = None if draft.message is None else sign_act(draft.message, signer)
        assert self.pilot.ledger.withdrawals.withdraw(entry, act).state == "withdrawn"
        return entry

    def since(self) -> int:
        """When the chain says that the subject withdrew; 0 if it did not."""
        reader = self.pilot.ledger.reader
        return reader.withdrawn_at(reader.party_no(self.subject), self.given.digest)

    def recorded(self) -> list[str]:
        """The ids of the withdrawals in the log that are about it."""
        with self.pilot.ledger.database.read() as session:
            digests = session.scalars(select(Entry.digest).where(Entry.about == self.given.digest)).all()
        return list(digests)

    def untouched(self) -> bool:
        state = self.pilot.ledger.authorizations.get(self.given.id).state
        return (state, self.since(), self.recorded()) == ("active", 0, []) and self.report().valid


@pytest.fixture
def consent(pilot: Pilot) -> Consent:
    return Consent(pilot)


def test_the_subject_withdraws_and_the_service_only_sends(consent: Consent, pilot: Pilot) -> None:
    entry = consent.withdraw()
    report = consent.report()
    assert report.checks[10].code == "AUTHORIZATION_WITHDRAWN"
    assert report.checks[10].details["since"] == consent.since() > 0
    assert (report.checks[7].code, report.result, report.disclosed) == ("REVOKED", "revoked", {})
    status = pilot.ledger.verification.status(consent.number)
    assert (status["state"], status["reason"]) == ("revoked", "consent_withdrawn")
    assert len(consent.recorded()) == 1
    assert consent.given.id not in [row.id for row in pilot.ledger.direct_withdrawals.follow()]
    # Handed in again, with or without the act: nothing more is sent, nothing more is recorded.
    block = pilot.ledger.reader.block_number()
    pilot.ledger.withdrawals.withdraw(entry, None)
    assert (pilot.ledger.reader.block_number(), len(consent.recorded())) == (block, 1)


def test_without_the_subjects_act_nothing_happens(consent: Consent, pilot: Pilot) -> None:
    draft = consent.draft()
    entry = sign_entry(draft.entry, consent.signer)
    with pytest.raises(Conflict, match="ACT_SIGNATURE_REQUIRED") as asked:
        pilot.ledger.withdrawals.withdraw(entry, None)
    assert draft.message is not None
    assert asked.value.details == {"account": consent.signer.kid, "to_sign": draft.message.hex()}
    for other in (pilot.cast.bank, pilot.ledger.installation.operator):
        with pytest.raises(Forbidden, match="LOG_SIGNATURE_INVALID"):
            pilot.ledger.withdrawals.withdraw(entry, sign_act(draft.message, pilot.bureau.signer_of(other)))
    assert consent.untouched()


def test_nobody_else_withdraws_a_consent(consent: Consent, pilot: Pilot) -> None:
    """Neither in its own name, nor in the subject's: the consumer, the provider, the platform."""
    withdraw, other = pilot.ledger.withdrawals.withdraw, Consent(pilot)
    for party in (pilot.cast.bank, pilot.cast.provider, pilot.ledger.installation.operator, other.subject):
        signer, draft = pilot.bureau.signer_of(party), consent.draft()
        assert draft.message is not None
        for named in (consent.subject, party):
            entry = sign_entry(draft.entry | {"party": named}, signer)
            with pytest.raises(Forbidden, match="SIGNER_NOT_SUBJECT"):
                withdraw(entry, sign_act(draft.message, signer))
    assert consent.untouched() and other.untouched()


def test_a_withdrawal_of_nothing_here_is_refused(consent: Consent, pilot: Pilot) -> None:
    withdraw, draft = pilot.ledger.withdrawals.withdraw, consent.draft()
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
        pilot.ledger.withdrawals.draft("01JZZZZZZZZZZZZZZZZZZZZZZZ")
    with pytest.raises(Forbidden, match="PARTY_UNKNOWN_ACCOUNT"):
        pilot.ledger.withdrawals.draft(consent.given.id, pilot.bureau.signer_of(pilot.cast.bank).kid)
    assert consent.untouched()


def test_a_subject_withdraws_by_a_p256_key(consent: Consent, pilot: Pilot) -> None:
    signer = Es256Signer(new_p256_key())
    pilot.ledger.party_keys.bind(pilot.ledger.installation.authority_party, consent.subject, signer.public_key)
    consent.withdraw(signer)
    assert consent.since() > 0
    assert consent.report().checks[10].code == "AUTHORIZATION_WITHDRAWN"


def test_of_an_sm2_key_the_entry_is_the_withdrawal(consent: Consent, pilot: Pilot) -> None:
    """The chain cannot check it: the bundle carries the entry from then on, and the issuer revokes the certificate."""
    signer = Sm2Signer(new_sm2_key())
    pilot.ledger.party_keys.bind(pilot.ledger.installation.authority_party, consent.subject, signer.public_key)
    assert consent.draft(signer).message is None
    consent.withdraw(signer)
    assert consent.since() == 0
    assert consent.report().checks[7].code == "REVOKED"
    bundle, nonce = pilot.present(consent.firm, consent.number)
    expect = Expectation(consumer=pilot.cast.bank, nonce=nonce)
    report = pilot.ledger.verification.verify(bundle.to_bytes(), expect).report
    assert report.checks[10].code == "AUTHORIZATION_WITHDRAWN"
    assert consent.given.id not in [row.id for row in pilot.ledger.direct_withdrawals.follow()]


def test_a_provider_takes_back_what_it_supplied(consent: Consent, pilot: Pilot) -> None:
    """By the same piece; it ends no consent, and a verifier refuses what rests on it."""
    ledger = pilot.ledger
    with ledger.database.read() as session:
        (supplied,) = provisions_of(session, consent.given.id)
    signer, draft = pilot.bureau.signer_of(pilot.cast.provider), ledger.withdrawals.draft(supplied.id)
    assert draft.message is not None and draft.entry["party"] == pilot.cast.provider
    with pytest.raises(Forbidden, match="SIGNER_NOT_PROVIDER"):
        ledger.withdrawals.relay(sign_entry(draft.entry, consent.signer), None)
    entry, act = sign_entry(draft.entry, signer), sign_act(draft.message, signer)
    with pytest.raises(NotFound, match="AUTHORIZATION_UNKNOWN"):
        ledger.withdrawals.withdraw(entry, act)
    for _ in range(2):
        ledger.withdrawals.relay(entry, act)
    number = ledger.reader.party_no(pilot.cast.provider)
    assert ledger.reader.withdrawn_at(number, supplied.digest) > 0
    report = consent.report()
    assert (report.checks[10].code, report.result) == ("PROVISION_WITHDRAWN", "revoked")
    assert (ledger.authorizations.get(consent.given.id).state, consent.since()) == ("active", 0)
