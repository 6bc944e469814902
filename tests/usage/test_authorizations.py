"""Allowing all or less of what is asked: what the subject sees is what it signs, and nobody goes beyond."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.demo.actors import NOTE
from ledger.domain.canonical import canonical, digest
from ledger.errors import Conflict, Forbidden, InvalidInput
from ledger.proof.jws import public_jwk
from ledger.usage.authorizations import Choice
from tests.support.actors.persons import CONTRIBUTIONS, SEPARATELY, Desk


def test_the_notice_names_everything_and_is_kept_word_for_word(desk: Desk) -> None:
    """The elements of PIPL art. 23, and what follows from them."""
    person = desk.person()
    (request,) = desk.ask([desk.terms(person)])
    assert desk.ledger.usage.requests.get(request).state == "sent"
    assert desk.ledger.usage.requests.see(request).state == "seen"
    (draft,) = desk.ledger.usage.authorizations.draft(request, SEPARATELY)
    bank = desk.ledger.parties.register.identity(desk.bank)["name"]
    for told in (bank, NOTE.contact, "个人授信时证明参保缴费情况", "核验结论", "经政务平台", "您的单独同意", "30 天"):
        assert told in draft.notice["text"]
    for field in desk.ledger.scenarios.get("S02").fields:
        assert field.title.zh in draft.notice["text"] and field.title.en in draft.notice["text"]
    assert draft.entry["notice_digest"] == digest(canonical(draft.notice))
    (given,) = desk.ledger.usage.authorizations.submit([desk.sign(person, draft.entry)])
    assert desk.ledger.usage.authorizations.notice(given.id) == draft.notice
    assert desk.ledger.usage.requests.get(request).state == "authorised"


def test_the_subject_may_allow_less_and_the_certificate_holds_no_more(desk: Desk) -> None:
    person = desk.person()
    asked = desk.terms(person)
    (request,) = desk.ask([asked])
    less = Choice(("base_band",), valid_to=asked.valid_to - 86_400, separate_consent=True)
    (given,) = desk.agree([request], less)
    desk.answer({given.id: desk.supplied()})
    (issued,) = desk.certify([request])
    desk.ledger.anchoring.flush()
    assert issued.exp == asked.valid_to - 86_400
    report = desk.accepted(issued.certificate_no)
    assert report.valid and report.disclosed == {"base_band": "3000–5000"}
    with pytest.raises(Forbidden, match="FIELD_OUTSIDE_AUTHORIZATION"):
        desk.show(issued.certificate_no, "n" * 22, ["months_paid"])


BEYOND = {
    "a field nobody asked for": ({"fields": ["months_paid", "base_band"]}, "FIELD_OUTSIDE_REQUEST"),
    "a longer period": ({"valid_to": 86_400}, "AUTHORIZATION_BEYOND_REQUEST"),
    "more uses": ({"max_uses": 9}, "AUTHORIZATION_BEYOND_REQUEST"),
    "another channel": ({"channel": "subject_carried"}, "AUTHORIZATION_BEYOND_REQUEST"),
}


@pytest.mark.parametrize(("changes", "code"), BEYOND.values(), ids=BEYOND)
def test_an_authorization_beyond_its_request_is_refused(desk: Desk, changes: dict[str, Any], code: str) -> None:
    person = desk.person()
    (request,) = desk.ask([desk.terms(person, fields=("base_band",))])
    (draft,) = desk.ledger.usage.authorizations.draft(request, SEPARATELY)
    later = {"valid_to": draft.entry["valid_to"] + changes["valid_to"]} if "valid_to" in changes else {}
    with pytest.raises(Forbidden, match=code):
        desk.ledger.usage.authorizations.submit([desk.sign(person, draft.entry | changes | later)])
    assert desk.ledger.usage.requests.get(request).state == "sent"


def test_a_person_consents_separately_or_not_at_all(desk: Desk) -> None:
    person = desk.person()
    (request,) = desk.ask([desk.terms(person)])
    with pytest.raises(Forbidden, match="SEPARATE_CONSENT_MISSING"):
        desk.agree([request])
    assert len(desk.agree([request], SEPARATELY)) == 1


def test_a_request_is_answered_once(desk: Desk) -> None:
    person = desk.person()
    (request,) = desk.ask([desk.terms(person)])
    first, second = (desk.ledger.usage.authorizations.draft(request, SEPARATELY)[0] for _ in range(2))
    signed = desk.sign(person, first.entry)
    (given,) = desk.ledger.usage.authorizations.submit([signed])
    assert [row.id for row in desk.ledger.usage.authorizations.submit([signed])] == [given.id]
    with pytest.raises(Conflict, match="REQUEST_ANSWERED"):
        desk.ledger.usage.authorizations.submit([desk.sign(person, second.entry)])


def test_one_source_is_authorised_once(desk: Desk) -> None:
    person = desk.person()
    (request,) = desk.ask([desk.terms(person)])
    both = [desk.sign(person, desk.ledger.usage.authorizations.draft(request, SEPARATELY)[0].entry) for _ in range(2)]
    with pytest.raises(InvalidInput, match="AUTHORIZATION_TWICE"):
        desk.ledger.usage.authorizations.submit(both)
    assert desk.ledger.usage.authorizations.of_request(request) == []


def test_the_holders_key_is_the_subjects_choice_and_nobody_elses(desk: Desk) -> None:
    person = desk.person()
    (request,) = desk.ask([desk.terms(person)])
    (account,) = desk.ledger.custody.create()
    phone = public_jwk(desk.ledger.custody.public_key(account))
    (given,) = desk.agree([request], Choice(separate_consent=True, holder_key=phone))
    desk.answer({given.id: desk.supplied(CONTRIBUTIONS)})
    (issued,) = desk.certify([request])
    desk.ledger.anchoring.flush()
    with pytest.raises(Forbidden, match="HOLDER_KEY_DIFFERS"):
        desk.accepted(issued.certificate_no)
    nonce = desk.ledger.verification.new_nonce()
    signer, now = desk.ledger.custody.signer(account), desk.ledger.clock()
    bundle = desk.ledger.certificates.bundles.present(issued.certificate_no, None, desk.bank, nonce, signer, now)
    assert desk.ledger.verification.accept(desk.ledger.actor(desk.bank), bundle.to_bytes(), nonce).report.valid
