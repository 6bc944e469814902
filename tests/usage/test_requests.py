"""Requests: what a consumer may request, which texts a request may contain, and when a request has ended."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ledger.chain.accounts import public_key_of
from ledger.demo.actors import NOTE
from ledger.domain.parties import PartyKind, Role
from ledger.errors import Conflict, Forbidden, InvalidInput
from ledger.parties.newcomers import NewParty, checked_party
from ledger.usage.request_notes import note_digest
from ledger.usage.requests import Asked
from tests.support.actors.persons import SEPARATELY, PersonActors
from tests.support.actors.pilots import Pilot


def test_a_request_about_a_person_requires_an_impact_assessment(persons: PersonActors) -> None:
    with pytest.raises(Forbidden, match="PIA_MISSING"):
        persons.ledger.usage.requests.draft(persons.terms(persons.person(), pia_digest=None), NOTE)


def test_a_request_with_a_wrong_signature_or_a_changed_note_is_refused(persons: PersonActors, pilot: Pilot) -> None:
    drafted = persons.ledger.usage.requests.draft(persons.terms(persons.person()), NOTE)
    with pytest.raises(Forbidden, match="SIGNER_NOT_CONSUMER"):
        persons.ledger.usage.requests.submit(
            [replace(drafted, entry=persons.sign(pilot.cast.other_bank, drafted.entry))]
        )
    signed = persons.sign(persons.bank, drafted.entry)
    with pytest.raises(InvalidInput, match="NOTE_DIFFERS"):
        persons.ledger.usage.requests.submit([Asked(signed, drafted.note | {"contact": "somebody else"})])
    with pytest.raises(InvalidInput, match="NOTE_INVALID"):
        persons.ledger.usage.requests.submit([Asked(signed, {})])
    (row,) = persons.ledger.usage.requests.submit([Asked(signed, drafted.note)])
    (again,) = persons.ledger.usage.requests.submit([Asked(signed, drafted.note)])
    assert row.id == again.id


@pytest.mark.parametrize("place", ["contact", "purpose_note"])
def test_a_note_with_a_line_break_is_refused(persons: PersonActors, place: str) -> None:
    """The note is refused when the request is drafted. It is also refused if the consumer wrote and signed the request
    without a draft.
    """
    words = "柜台\n次数：1；接收方保存期限：0 天"
    terms = persons.terms(persons.person())
    with pytest.raises(InvalidInput, match="TEXT_CONTROL"):
        persons.ledger.usage.requests.draft(terms, replace(NOTE, **{place: words}))
    drafted = persons.ledger.usage.requests.draft(terms, NOTE)
    note = drafted.note | {place: words}
    signed = persons.sign(persons.bank, drafted.entry | {"note_digest": note_digest(note)})
    with pytest.raises(InvalidInput, match="TEXT_CONTROL"):
        persons.ledger.usage.requests.submit([Asked(signed, note)])


def test_a_party_name_with_a_line_break_is_refused() -> None:
    key = public_key_of(bytes(31) + b"\1")
    named = NewParty(PartyKind.BANK, "湛江第一银行", "91440802MA9X00011Y", "440802", key)
    assert checked_party(named, "party 1").name == "湛江第一银行"
    with pytest.raises(InvalidInput) as caught:
        checked_party(replace(named, name="湛江第一银行\n种类：是否参保"), "party 1")
    assert (caught.value.code, caught.value.where) == ("TEXT_CONTROL", "party 1")


def test_requests_that_were_declined_or_cancelled_or_have_expired_cannot_be_answered(
    persons: PersonActors, pilot: Pilot
) -> None:
    person = persons.person()
    declined, cancelled, waiting = persons.ask([persons.terms(person), persons.terms(person), persons.terms(person)])
    assert persons.ledger.usage.requests.decline(declined).state == "declined"
    assert persons.ledger.usage.requests.cancel(cancelled).state == "cancelled"
    with pytest.raises(Conflict, match="REQUEST_ANSWERED"):
        persons.agree([declined], SEPARATELY)
    with pytest.raises(Conflict, match="MOVE_NOT_ALLOWED"):
        persons.ledger.usage.requests.decline(cancelled)
    pilot.skip(6 * 86_400)
    with pytest.raises(Conflict, match="REQUEST_EXPIRED"):
        persons.agree([waiting], SEPARATELY)
    with pytest.raises(Conflict, match="REQUEST_EXPIRED"):
        persons.ledger.usage.requests.decline(waiting)
    assert persons.ledger.usage.requests.get(waiting).state == "expired"


def test_a_sanctioned_consumer_or_provider_cannot_take_part_in_a_request(persons: PersonActors, pilot: Pilot) -> None:
    bank, ledger = pilot.party(PartyKind.BANK, Role.CONSUMER), persons.ledger
    department = pilot.party(PartyKind.PUBLIC_INST, Role.PROVIDER)
    for party in (bank, department):
        ledger.parties.role_changes.set_status(ledger.authority, party, "sanctioned", "sanction")
    person = persons.person()
    for terms in (
        persons.terms(person, consumer=bank),
        persons.terms(person, sources={"social_insurance": department}),
    ):
        with pytest.raises(Forbidden, match="PARTY_NOT_ACTIVE"):
            ledger.usage.requests.draft(terms, NOTE)


def test_requests_are_listed_with_their_present_states(persons: PersonActors, pilot: Pilot) -> None:
    person = persons.person()
    (lapsed,) = persons.ask([persons.terms(person)])
    pilot.skip(6 * 86_400)
    (fresh,) = persons.ask([persons.terms(person)])
    for state, expected in (("sent", fresh), ("expired", lapsed)):
        assert [row.id for row in persons.ledger.usage.requests.page(person, None, 9, state)] == [expected], state
