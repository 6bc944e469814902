"""The subject allows all or part of a request. The signed authorization allows what the notice shows, and never more
than was requested.
"""

from __future__ import annotations

from typing import Any

import pytest

from ledger.demo.actors import NOTE
from ledger.domain.canonical import canonical, digest
from ledger.errors import Conflict, Forbidden, InvalidInput, NotFound
from ledger.proof.jws import public_jwk
from ledger.usage.authorizations import Choice
from ledger.usage.lookups import access_request
from tests.support.actors.persons import CONTRIBUTIONS, SEPARATELY, PersonActors


def test_the_notice_has_every_legal_element_and_is_stored_word_for_word(persons: PersonActors) -> None:
    """The notice has the elements of PIPL art. 23, and says what refusal and withdrawal mean."""
    person = persons.person()
    (request,) = persons.ask([persons.terms(person)])
    assert persons.ledger.usage.requests.get(request).state == "sent"
    assert persons.ledger.usage.requests.see(request).state == "seen"
    (draft,) = persons.ledger.usage.authorizations.draft(request, SEPARATELY)
    bank = persons.ledger.parties.register.identity(persons.bank)["name"]
    for part in (bank, NOTE.contact, "个人授信时证明参保缴费情况", "核验结论", "经政务平台", "您的单独同意", "30 天"):
        assert part in draft.notice["text"]
    for field in persons.ledger.scenarios.get("S02").fields:
        assert field.title.zh in draft.notice["text"] and field.title.en in draft.notice["text"]
    assert draft.entry["notice_digest"] == digest(canonical(draft.notice))
    (given,) = persons.ledger.usage.authorizations.submit([persons.sign(person, draft.entry)])
    assert persons.ledger.usage.authorizations.notice(given.id) == draft.notice
    assert persons.ledger.usage.requests.get(request).state == "authorised"


def test_a_certificate_contains_only_fields_that_the_subject_allowed(persons: PersonActors) -> None:
    person = persons.person()
    asked = persons.terms(person)
    (request,) = persons.ask([asked])
    less = Choice(("base_band",), valid_to=asked.valid_to - 86_400, separate_consent=True)
    (given,) = persons.agree([request], less)
    persons.answer({given.id: persons.supplied()})
    (issued,) = persons.certify([request])
    persons.ledger.anchoring.flush()
    assert issued.exp == asked.valid_to - 86_400
    report = persons.accepted(issued.certificate_no)
    assert report.valid and report.disclosed == {"base_band": "3000–5000"}
    with pytest.raises(Forbidden, match="FIELD_OUTSIDE_AUTHORIZATION"):
        persons.show(issued.certificate_no, "n" * 22, ["months_paid"])


BEYOND = {
    "a field that was not requested": ({"fields": ["months_paid", "base_band"]}, "FIELD_OUTSIDE_REQUEST"),
    "a longer period": ({"valid_to": 86_400}, "AUTHORIZATION_BEYOND_REQUEST"),
    "more uses": ({"max_uses": 9}, "AUTHORIZATION_BEYOND_REQUEST"),
    "another channel": ({"channel": "subject_carried"}, "AUTHORIZATION_BEYOND_REQUEST"),
}


@pytest.mark.parametrize(("changes", "code"), BEYOND.values(), ids=BEYOND)
def test_an_authorization_that_exceeds_its_request_is_refused(
    persons: PersonActors, changes: dict[str, Any], code: str
) -> None:
    person = persons.person()
    (request,) = persons.ask([persons.terms(person, fields=("base_band",))])
    (draft,) = persons.ledger.usage.authorizations.draft(request, SEPARATELY)
    later = {"valid_to": draft.entry["valid_to"] + changes["valid_to"]} if "valid_to" in changes else {}
    with pytest.raises(Forbidden, match=code):
        persons.ledger.usage.authorizations.submit([persons.sign(person, draft.entry | changes | later)])
    assert persons.ledger.usage.requests.get(request).state == "sent"


def test_an_authorization_without_the_required_separate_consent_is_refused(persons: PersonActors) -> None:
    person = persons.person()
    (request,) = persons.ask([persons.terms(person)])
    with pytest.raises(Forbidden, match="SEPARATE_CONSENT_MISSING"):
        persons.agree([request])
    assert len(persons.agree([request], SEPARATELY)) == 1


def test_a_request_can_be_answered_only_once(persons: PersonActors) -> None:
    person = persons.person()
    (request,) = persons.ask([persons.terms(person)])
    first, second = (persons.ledger.usage.authorizations.draft(request, SEPARATELY)[0] for _ in range(2))
    signed = persons.sign(person, first.entry)
    (given,) = persons.ledger.usage.authorizations.submit([signed])
    assert [row.id for row in persons.ledger.usage.authorizations.submit([signed])] == [given.id]
    with pytest.raises(Conflict, match="REQUEST_ANSWERED"):
        persons.ledger.usage.authorizations.submit([persons.sign(person, second.entry)])


def test_an_authorization_beyond_its_request_is_refused_before_any_text_is_decrypted(persons: PersonActors) -> None:
    """The error must not depend on texts of parties that the request does not name, or on a note that was erased."""
    request, ledger = persons.ask([persons.terms(persons.person())])[0], persons.ledger
    (draft,) = ledger.usage.authorizations.draft(request, SEPARATELY)
    with ledger.database.write() as session:
        ledger.sealer.erase(session, access_request(session, request).sealed_id)
    entry = persons.sign(draft.entry["subject"], draft.entry | {"consumer": draft.entry["subject"]})
    with pytest.raises(Forbidden, match="AUTHORIZATION_BEYOND_REQUEST"):
        ledger.usage.authorizations.submit([entry])
    signed = persons.sign(draft.entry["subject"], draft.entry)
    with pytest.raises(NotFound, match="SEALED_ERASED"):
        ledger.usage.authorizations.submit([signed])
    ledger.usage.requests.decline(request)
    with pytest.raises(Conflict, match="REQUEST_ANSWERED"):
        ledger.usage.authorizations.submit([signed])


def test_a_second_authorization_for_the_same_source_is_refused(persons: PersonActors) -> None:
    person = persons.person()
    (request,) = persons.ask([persons.terms(person)])
    both = [
        persons.sign(person, persons.ledger.usage.authorizations.draft(request, SEPARATELY)[0].entry) for _ in range(2)
    ]
    with pytest.raises(InvalidInput, match="AUTHORIZATION_TWICE"):
        persons.ledger.usage.authorizations.submit(both)
    assert persons.ledger.usage.authorizations.of_request(request) == []


def test_the_holder_key_is_the_key_that_the_subject_signed(persons: PersonActors) -> None:
    person = persons.person()
    (request,) = persons.ask([persons.terms(person)])
    (account,) = persons.ledger.custody.create()
    phone = public_jwk(persons.ledger.custody.public_key(account))
    (given,) = persons.agree([request], Choice(separate_consent=True, holder_key=phone))
    persons.answer({given.id: persons.supplied(CONTRIBUTIONS)})
    (issued,) = persons.certify([request])
    persons.ledger.anchoring.flush()
    with pytest.raises(Forbidden, match="HOLDER_KEY_DIFFERS"):
        persons.accepted(issued.certificate_no)
    nonce = persons.ledger.verification.new_nonce()
    signer, now = persons.ledger.custody.signer(account), persons.ledger.clock()
    bundle = persons.ledger.certificates.bundles.present(issued.certificate_no, None, persons.bank, nonce, signer, now)
    assert persons.ledger.verification.accept(persons.ledger.actor(persons.bank), bundle.to_bytes(), nonce).report.valid
