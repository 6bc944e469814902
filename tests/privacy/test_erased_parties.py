"""Erasing a person erases all texts about this person; institutions cannot be erased."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Column, ForeignKey, Table, insert
from sqlalchemy.schema import CreateTable, DropTable

from ledger.demo.actors import NOTE
from ledger.domain.parties import PartyKind, Role
from ledger.errors import Conflict, NotFound
from ledger.parties.newcomers import NewParty
from ledger.privacy import erasure
from ledger.store.tables import Base, Source
from ledger.usage.requests import Asked
from tests.support.actors.erasing import COURT, REQUEST, erase, erasures, office, opens, records_of, refusal, subject
from tests.support.actors.persons import PersonActors
from tests.support.actors.pilots import Pilot, resource


def test_erasing_a_person_erases_all_texts_about_the_person(persons: PersonActors) -> None:
    ledger, person, other = persons.ledger, persons.person(), persons.person()
    number, neighbour = persons.certificate(person), persons.certificate(other)
    _, unused = persons.authorised(person)
    persons.answer({unused["social_insurance"].id: persons.supplied()})
    (unanswered,) = persons.ask([persons.terms(person)])
    identity, row = ledger.parties.register.identity(person), ledger.parties.register.get(person)
    erased = ledger.erasure.party(subject(person), person, REQUEST)
    assert (erased.entry["targets"], erased.certificates, ledger.erasure.scrub(erased)) == ([], (number,), True)
    assert sorted(len(entry["targets"]) for entry in erasures(ledger, person)) == [0, 1, 3, 4]
    with pytest.raises(NotFound, match="SEALED_ERASED"):
        ledger.parties.register.identity(person)
    with pytest.raises(NotFound, match="PARTY_UNKNOWN"):
        ledger.parties.register.find(identity["identifier"])
    with pytest.raises(NotFound, match="SEALED_ERASED"):
        persons.certify([unused["social_insurance"].request_id])
    assert ledger.usage.requests.note(unanswered) is None
    assert ledger.parties.register.identity(other)["name"]
    assert (ledger.parties.register.get(person).account, ledger.parties.register.get(person).no) == (
        row.account,
        row.no,
    )
    assert persons.accepted(neighbour).valid
    again = ledger.erasure.party(subject(person), person, REQUEST)
    assert (again.entry, again.seq) == (erased.entry, erased.seq)


@pytest.fixture
def remarks() -> Iterator[Table]:
    """A table whose name does not occur in the code that erases. Only the table's declaration says that each text in
    the table is erased together with the party that the text is about.
    """
    table = Table(
        "remark",
        Base.metadata,
        Column("about", ForeignKey("party.id"), primary_key=True),
        Column("sealed_id", ForeignKey("sealed.id")),
        info={"source": Source.BACKUP, "erased_with": "about"},
    )
    yield table
    Base.metadata.remove(table)


def test_texts_of_a_table_that_declares_a_party_column_are_erased_with_the_party(
    persons: PersonActors, remarks: Table
) -> None:
    ledger, person, other = persons.ledger, persons.person(), persons.person()
    with ledger.database.write() as session:
        session.connection().execute(CreateTable(remarks))
        texts = [ledger.sealer.seal(session, f"remark on {each}") for each in (person, other)]
        for each, text in zip((person, other), texts, strict=True):
            session.execute(insert(remarks).values(about=each, sealed_id=text))
    erased = ledger.erasure.party(subject(person), person, REQUEST)
    assert ledger.erasure.scrub(erased)
    with ledger.database.write() as session:
        assert ledger.sealer.kept(session, texts) == {texts[1]}
        session.connection().execute(DropTable(remarks))


def test_an_erased_person_can_be_onboarded_again_with_a_new_id(persons: PersonActors) -> None:
    ledger, person = persons.ledger, persons.person()
    identity, row = ledger.parties.register.identity(person), ledger.parties.register.get(person)
    ledger.erasure.party(subject(person), person, REQUEST)

    def onboard(key: str) -> str:
        newcomer = NewParty(PartyKind.PERSON, identity["name"], identity["identifier"], row.region, key)
        (back,) = ledger.parties.onboarding.onboard(ledger.authority, [newcomer])
        return back.id

    with pytest.raises(Conflict, match="ACCOUNT_IN_USE"):
        onboard(row.public_key)
    assert onboard(ledger.custody.public_key(*ledger.custody.create())) != person


def test_a_request_about_an_erased_party_is_refused(persons: PersonActors) -> None:
    """The request is refused because its note would be a new text about the erased party."""
    ledger, person = persons.ledger, persons.person()
    drafted = ledger.usage.requests.draft(persons.terms(person), NOTE)
    ledger.erasure.party(subject(person), person, REQUEST)
    signed = persons.sign(persons.bank, drafted.entry)
    for attempt in (
        lambda: ledger.usage.requests.draft(persons.terms(person), NOTE),
        lambda: ledger.usage.requests.submit([Asked(signed, drafted.note)]),
    ):
        assert refusal(attempt) == "SUBJECT_ERASED"


def test_texts_added_after_an_erasure_are_erased_by_the_next_erasure(persons: PersonActors) -> None:
    ledger, person = persons.ledger, persons.person()
    number = persons.certificate(person)
    first = erase(persons, person, number)
    consent = records_of(persons, number)[1]
    (answer,) = persons.answer({consent.id: persons.supplied()})
    late = next(record for record in records_of(persons, number) if record.digest == answer.digest)
    assert opens(persons, late) == [True]
    assert erase(persons, person, number).entry == first.entry
    assert opens(persons, late) == [False]
    assert erasures(ledger, person)[-1]["targets"] == [f"sha-256:{late.digest}"]


def test_institutions_and_parties_of_an_asset_registration_cannot_be_erased(
    persons: PersonActors, pilot: Pilot
) -> None:
    ledger, court = persons.ledger, office(persons, "authority")
    for party in (persons.bank, persons.statistics, ledger.installation.operator):
        with pytest.raises(Conflict, match="PARTY_NOT_A_SUBJECT"):
            ledger.erasure.party(court, party, COURT)
    firm = pilot.party(PartyKind.ENTERPRISE, Role.SUBJECT, Role.PROVIDER)
    (asset,) = pilot.handed_in(resource("erasure/held"), by=firm)
    ledger.parties.role_changes.set_roles(ledger.authority, firm, [Role.SUBJECT])
    with pytest.raises(Conflict, match="PARTY_ON_REGISTER"):
        ledger.erasure.party(court, firm, COURT)
    assert ledger.parties.register.identity(firm)["name"]
    ledger.registration.review.accept(ledger.actor(persons.registrar), [asset])
    ledger.registration.review.reject(ledger.actor(persons.registrar), asset, "Not its own")
    assert ledger.erasure.party(court, firm, COURT).entry["subject"] == firm


def test_a_large_erasure_is_recorded_in_several_entries(persons: PersonActors, monkeypatch: pytest.MonkeyPatch) -> None:
    person = persons.person()
    number = persons.certificate(person, "S03")
    monkeypatch.setattr(erasure, "MAX_TARGETS", 3)
    erased = erase(persons, person, number)
    assert [len(entry["targets"]) for entry in erasures(persons.ledger, person)] == [3, 3, 2]
    assert erased.entry["targets"] == [f"sha-256:{record.digest}" for record in records_of(persons, number)[:3]]
