"""Asking, being told, allowing all or less of it: what the subject sees is what it signs, and nobody goes beyond."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ledger.chain.accounts import public_key_of
from ledger.connectors.answers import Answer, NoData, Query, Refused, TimedOut
from ledger.demo.actors import NOTE, Bureau
from ledger.domain.canonical import canonical, digest
from ledger.domain.days import shanghai_day
from ledger.domain.parties import PartyKind, Role
from ledger.errors import Conflict, Forbidden, InvalidInput
from ledger.parties.newcomers import NewParty, checked_party
from ledger.parties.roles import Actor
from ledger.proof.jws import public_jwk
from ledger.usage.authorizations import Choice
from ledger.usage.request_notes import note_digest
from ledger.usage.requests import Asked
from tests.support.actors.persons import CONTRIBUTIONS, SCORES, SEPARATELY, Desk
from tests.support.actors.pilots import Pilot
from tests.support.places import SCENARIOS


@pytest.fixture(scope="module")
def desk(pilot: Pilot) -> Desk:
    return Desk(pilot)


def test_the_notice_names_everything_and_is_kept_word_for_word(desk: Desk) -> None:
    """The elements of PIPL art. 23, and what follows from them."""
    person = desk.person()
    (request,) = desk.ask([desk.terms(person)])
    assert desk.ledger.requests.get(request).state == "sent"
    assert desk.ledger.requests.see(request).state == "seen"
    (draft,) = desk.ledger.authorizations.draft(request, SEPARATELY)
    bank = desk.ledger.parties.identity(desk.bank)["name"]
    for told in (bank, NOTE.contact, "个人授信时证明参保缴费情况", "核验结论", "经政务平台", "您的单独同意", "30 天"):
        assert told in draft.notice["text"]
    for field in desk.ledger.scenarios.get("S02").fields:
        assert field.title.zh in draft.notice["text"] and field.title.en in draft.notice["text"]
    assert draft.entry["notice_digest"] == digest(canonical(draft.notice))
    (given,) = desk.ledger.authorizations.submit([desk.sign(person, draft.entry)])
    assert desk.ledger.authorizations.notice(given.id) == draft.notice
    assert desk.ledger.requests.get(request).state == "authorised"


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
def test_an_authorization_beyond_its_request_is_refused(desk: Desk, changes: dict[str, object], code: str) -> None:
    person = desk.person()
    (request,) = desk.ask([desk.terms(person, fields=("base_band",))])
    (draft,) = desk.ledger.authorizations.draft(request, SEPARATELY)
    later = {"valid_to": draft.entry["valid_to"] + changes["valid_to"]} if "valid_to" in changes else {}  # type: ignore[operator]
    with pytest.raises(Forbidden, match=code):
        desk.ledger.authorizations.submit([desk.sign(person, draft.entry | changes | later)])
    assert desk.ledger.requests.get(request).state == "sent"


def test_a_person_consents_separately_or_not_at_all(desk: Desk) -> None:
    person = desk.person()
    (request,) = desk.ask([desk.terms(person)])
    with pytest.raises(Forbidden, match="SEPARATE_CONSENT_MISSING"):
        desk.agree([request])
    assert len(desk.agree([request], SEPARATELY)) == 1


def test_what_a_person_is_asked_for_wants_an_impact_assessment(desk: Desk) -> None:
    with pytest.raises(Forbidden, match="PIA_MISSING"):
        desk.ledger.requests.draft(desk.terms(desk.person(), pia_digest=None), NOTE)


def test_a_request_is_the_consumers_own_and_its_note_the_one_signed(desk: Desk, pilot: Pilot) -> None:
    drafted = desk.ledger.requests.draft(desk.terms(desk.person()), NOTE)
    with pytest.raises(Forbidden, match="SIGNER_NOT_CONSUMER"):
        desk.ledger.requests.submit([replace(drafted, entry=desk.sign(pilot.cast.other_bank, drafted.entry))])
    signed = desk.sign(desk.bank, drafted.entry)
    with pytest.raises(InvalidInput, match="NOTE_DIFFERS"):
        desk.ledger.requests.submit([Asked(signed, drafted.note | {"contact": "somebody else"})])
    with pytest.raises(InvalidInput, match="NOTE_INVALID"):
        desk.ledger.requests.submit([Asked(signed, {})])
    (row,) = desk.ledger.requests.submit([Asked(signed, drafted.note)])
    (again,) = desk.ledger.requests.submit([Asked(signed, drafted.note)])
    assert row.id == again.id


@pytest.mark.parametrize("place", ["contact", "purpose_note"])
def test_a_consumer_writes_no_line_of_its_own_into_the_notice(desk: Desk, place: str) -> None:
    """Neither by our draft nor by a note that it made and signed without."""
    words = "柜台\n次数：1；接收方保存期限：0 天"
    terms = desk.terms(desk.person())
    with pytest.raises(InvalidInput, match="TEXT_CONTROL"):
        desk.ledger.requests.draft(terms, replace(NOTE, **{place: words}))
    drafted = desk.ledger.requests.draft(terms, NOTE)
    note = drafted.note | {place: words}
    signed = desk.sign(desk.bank, drafted.entry | {"note_digest": note_digest(note)})
    with pytest.raises(InvalidInput, match="TEXT_CONTROL"):
        desk.ledger.requests.submit([Asked(signed, note)])


def test_a_party_has_a_name_of_one_line() -> None:
    key = public_key_of(bytes(31) + b"\1")
    named = NewParty(PartyKind.BANK, "湛江第一银行", "91440802MA9X00011Y", "440802", key)
    assert checked_party(named, "party 1").name == "湛江第一银行"
    with pytest.raises(InvalidInput) as caught:
        checked_party(replace(named, name="湛江第一银行\n种类：是否参保"), "party 1")
    assert (caught.value.code, caught.value.where) == ("TEXT_CONTROL", "party 1")


def test_declined_cancelled_and_expired_requests_are_over(desk: Desk, pilot: Pilot) -> None:
    person = desk.person()
    declined, cancelled, waiting = desk.ask([desk.terms(person), desk.terms(person), desk.terms(person)])
    assert desk.ledger.requests.decline(declined).state == "declined"
    assert desk.ledger.requests.cancel(cancelled).state == "cancelled"
    with pytest.raises(Conflict, match="REQUEST_ANSWERED"):
        desk.agree([declined], SEPARATELY)
    with pytest.raises(Conflict, match="MOVE_NOT_ALLOWED"):
        desk.ledger.requests.decline(cancelled)
    pilot.skip(6 * 86_400)
    with pytest.raises(Conflict, match="REQUEST_EXPIRED"):
        desk.agree([waiting], SEPARATELY)
    with pytest.raises(Conflict, match="REQUEST_EXPIRED"):
        desk.ledger.requests.decline(waiting)
    assert desk.ledger.requests.get(waiting).state == "expired"


def test_a_request_is_answered_once(desk: Desk) -> None:
    person = desk.person()
    (request,) = desk.ask([desk.terms(person)])
    first, second = (desk.ledger.authorizations.draft(request, SEPARATELY)[0] for _ in range(2))
    signed = desk.sign(person, first.entry)
    (given,) = desk.ledger.authorizations.submit([signed])
    assert [row.id for row in desk.ledger.authorizations.submit([signed])] == [given.id]
    with pytest.raises(Conflict, match="REQUEST_ANSWERED"):
        desk.ledger.authorizations.submit([desk.sign(person, second.entry)])


def test_a_sanctioned_party_cannot_ask_and_a_sanctioned_provider_is_not_asked(desk: Desk, pilot: Pilot) -> None:
    bank, ledger = pilot.party(PartyKind.BANK, Role.CONSUMER), desk.ledger
    department = pilot.party(PartyKind.PUBLIC_INST, Role.PROVIDER)
    for party in (bank, department):
        ledger.role_changes.set_status(ledger.authority, party, "sanctioned", "sanction")
    person = desk.person()
    for terms in (
        desk.terms(person, consumer=bank),
        desk.terms(person, sources={"social_insurance": department}),
    ):
        with pytest.raises(Forbidden, match="PARTY_NOT_ACTIVE"):
            ledger.requests.draft(terms, NOTE)


def test_each_source_has_its_own_notice_authorization_and_provision(desk: Desk) -> None:
    """A source that has no data, or refuses, is left out of the certificate and stays on record."""
    request, given = desk.authorised(desk.person(), "S03")
    assert set(given) == {"social_insurance", "vehicle", "housing_fund"}
    now = desk.ledger.clock()
    desk.answer({given["social_insurance"].id: desk.supplied(SCORES), given["vehicle"].id: NoData(now)})
    with pytest.raises(Conflict, match="NOT_ANSWERED_YET"):
        desk.certify([request])
    (refused,) = desk.answer({given["housing_fund"].id: Refused("under_correction", now)})
    assert (refused.result, refused.reason) == ("refused", "under_correction")
    (issued,) = desk.certify([request])
    desk.ledger.anchoring.flush()
    report = desk.accepted(issued.certificate_no)
    assert report.valid and report.disclosed == {"social_insurance_score": 72}
    assert report.claims["providers"] == [desk.departments["social_insurance"]]
    assert [part["source"] for part in report.claims["components"]] == ["social_insurance"]
    assert [part["rule_version"] for part in report.claims["components"]] == ["S03/1/engine-2"]


def test_three_sources_make_one_certificate_with_a_signature_each(desk: Desk) -> None:
    number = desk.certificate(desk.person(), "S03")
    bundle = desk.ledger.bundles.build(number)
    signers = {item.signer for item in bundle.evidence}
    accounts = {desk.ledger.parties.get(department).account for department in desk.departments.values()}
    assert accounts < signers
    assert desk.accepted(number).valid


def test_nothing_supplied_is_nothing_certified(desk: Desk) -> None:
    request, given = desk.authorised(desk.person())
    (timed_out,) = desk.answer({given["social_insurance"].id: TimedOut(desk.ledger.clock())})
    assert timed_out.number == 1
    with pytest.raises(Conflict, match="NOTHING_SUPPLIED"):
        desk.certify([request])
    (second,) = desk.answer({given["social_insurance"].id: desk.supplied()})
    assert (second.number, second.result) == (2, "supplied")
    assert len(desk.certify([request])) == 1
    drafted = desk.draft(given["social_insurance"].id, Refused("disputed", 0))
    unreasoned = desk.sign(drafted.entry["provider"], drafted.entry | {"reason": None})
    with pytest.raises(InvalidInput, match="REASON_AND_RESULT"):
        desk.ledger.provisions.submit([replace(drafted, entry=unreasoned)])


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
    bundle = desk.ledger.bundles.present(issued.certificate_no, None, desk.bank, nonce, signer, now)
    assert desk.ledger.verification.accept(bundle.to_bytes(), desk.bank, nonce).report.valid


class Untouched:
    """A source that must not be asked."""

    def ask(self, query: Query) -> Answer:
        raise AssertionError(f"asked for {query.scenario}")


def asked(desk: Desk, limit: int = 1_000) -> list[str]:
    return [row.id for row in desk.ledger.provisions.asked(desk.departments["social_insurance"], None, limit)]


def refused(desk: Desk, consent: str, code: str) -> None:
    with pytest.raises(Conflict, match=code):
        desk.inquire({consent: Untouched()})
    with pytest.raises(Conflict, match=code):
        desk.answer({consent: desk.supplied()})


def test_a_source_is_not_asked_for_what_was_cancelled_or_is_over_nor_of_who_was_erased(
    desk: Desk, pilot: Pilot
) -> None:
    ledger, gone = desk.ledger, desk.person()
    request, cancelled = desk.authorised(desk.person())
    _, lapsing = desk.authorised(desk.person())
    _, erased = desk.authorised(gone)
    one, two, three = (given["social_insurance"].id for given in (cancelled, lapsing, erased))
    assert {one, two, three} <= set(asked(desk))
    ledger.requests.cancel(request)
    ledger.erasure.party(Actor(gone, frozenset({Role.SUBJECT})), gone, "subject_request")
    assert {one, two, three} & set(asked(desk)) == {two}
    refused(desk, one, "REQUEST_NOT_AUTHORIZED")
    pilot.skip(6 * 86_400)
    _, waiting = desk.authorised(desk.person())
    assert asked(desk, 1) == asked(desk) == [waiting["social_insurance"].id]
    assert ledger.authorizations.get(two).state == "expired"
    refused(desk, two, "AUTHORIZATION_NOT_ACTIVE")


def test_requests_are_listed_as_they_stand_now(desk: Desk, pilot: Pilot) -> None:
    person = desk.person()
    (lapsed,) = desk.ask([desk.terms(person)])
    pilot.skip(6 * 86_400)
    (fresh,) = desk.ask([desk.terms(person)])
    for state, expected in (("sent", fresh), ("expired", lapsed)):
        assert [row.id for row in desk.ledger.requests.page(person, None, 9, state)] == [expected], state


def test_one_source_is_authorised_once(desk: Desk) -> None:
    person = desk.person()
    (request,) = desk.ask([desk.terms(person)])
    both = [desk.sign(person, desk.ledger.authorizations.draft(request, SEPARATELY)[0].entry) for _ in range(2)]
    with pytest.raises(InvalidInput, match="AUTHORIZATION_TWICE"):
        desk.ledger.authorizations.submit(both)
    assert desk.ledger.authorizations.of_request(request) == []


def test_an_id_of_a_provision_is_taken_once(desk: Desk) -> None:
    consents = [desk.authorised(desk.person())[1]["social_insurance"] for _ in range(2)]
    first, second = (desk.draft(consent.id, desk.supplied()) for consent in consents)
    provider = consents[0].provider
    signed = [desk.sign(provider, each.entry | {"id": first.entry["id"]}) for each in (first, second)]
    (row,) = desk.ledger.provisions.submit([replace(first, entry=signed[0])])
    assert desk.ledger.provisions.submit([replace(first, entry=signed[0])])[0].id == row.id
    with pytest.raises(Conflict, match="PROVISION_ID_TAKEN"):
        desk.ledger.provisions.submit([replace(second, entry=signed[1])])


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("SIGNED_IN_FUTURE", {"iat": 400}),
        ("SIGNED_IN_FUTURE", {"queried_at": 400}),
        ("AS_OF_AFTER_QUERY", {"as_of": 1}),
        ("AS_OF_AFTER_QUERY", {"queried_at": -86_400, "as_of": 0}),
    ],
)
def test_a_provision_tells_of_no_time_to_come(desk: Desk, code: str, change: dict[str, int]) -> None:
    """``as_of`` in days from today in Shanghai, the others in seconds from now."""
    _, given = desk.authorised(desk.person())
    drafted = desk.draft(given["social_insurance"].id, desk.supplied())
    now = desk.ledger.clock()
    told: dict[str, Any] = {name: now + by for name, by in change.items() if name != "as_of"}
    if "as_of" in change:
        told["as_of"] = (shanghai_day(now) + timedelta(days=change["as_of"])).isoformat()
    signed = desk.sign(drafted.entry["provider"], drafted.entry | told)
    with pytest.raises(InvalidInput, match=code):
        desk.ledger.provisions.submit([replace(drafted, entry=signed)])


def test_nothing_comes_of_a_request_once_its_scenario_was_changed(desk: Desk, pilot: Pilot, tmp_path: Path) -> None:
    """By one definition under the consent to another, a certificate would be issued that verifies nowhere."""
    supplied, given = desk.authorised(desk.person())
    desk.answer({given["social_insurance"].id: desk.supplied()})
    _, given = desk.authorised(desk.person())
    consent, person = given["social_insurance"].id, desk.person()
    (unanswered,) = desk.ask([desk.terms(person)])
    (drafted,) = desk.ledger.authorizations.draft(unanswered, SEPARATELY)
    signed = desk.sign(person, drafted.entry)
    answer = desk.draft(consent, desk.supplied())
    told = replace(answer, entry=desk.sign(answer.entry["provider"], answer.entry))
    shipped = (SCENARIOS / "S02.yaml").read_text("utf-8")
    (tmp_path / "S02.yaml").write_text(shipped.replace("retention_days: 30", "retention_days: 31"), "utf-8")
    assert consent in asked(desk)
    with pilot.under(scenarios=tmp_path) as changed:
        later = changed.ledger
        for attempt in (
            lambda: later.authorizations.draft(unanswered, SEPARATELY),
            lambda: later.authorizations.submit([signed]),
            lambda: Bureau(later).inquire({consent: Untouched()}),
            lambda: later.provisions.submit([told]),
            lambda: later.issuance.issue([supplied]),
        ):
            with pytest.raises(Conflict, match="SCENARIO_CHANGED"):
                attempt()
        assert consent not in [row.id for row in later.provisions.asked(answer.entry["provider"], None, 1_000)]
    assert len(desk.certify([supplied])) == 1
