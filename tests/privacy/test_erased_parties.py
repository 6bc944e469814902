"""A party is erased with everything that was recorded about it; institutions keep their names."""

from __future__ import annotations

import pytest

from ledger.demo.actors import NOTE
from ledger.domain.parties import PartyKind, Role
from ledger.errors import Conflict, NotFound
from ledger.parties.newcomers import NewParty
from ledger.privacy import erasure
from ledger.usage.requests import Asked
from tests.support.actors.erasing import COURT, REQUEST, erase, erasures, office, opens, refusal, subject, told
from tests.support.actors.persons import Desk
from tests.support.actors.pilots import Pilot, resource


def test_a_person_goes_with_everything_that_was_told_of_it(desk: Desk) -> None:
    ledger, person, other = desk.ledger, desk.person(), desk.person()
    number, neighbour = desk.certificate(person), desk.certificate(other)
    _, unused = desk.authorised(person)
    desk.answer({unused["social_insurance"].id: desk.supplied()})
    (unanswered,) = desk.ask([desk.terms(person)])
    identity, row = ledger.parties.register.identity(person), ledger.parties.register.get(person)
    erased = ledger.erasure.party(subject(person), person, REQUEST)
    assert (erased.entry["targets"], erased.certificates, ledger.erasure.scrub(erased)) == ([], (number,), True)
    assert sorted(len(entry["targets"]) for entry in erasures(ledger, person)) == [0, 1, 3, 4]
    with pytest.raises(NotFound, match="SEALED_ERASED"):
        ledger.parties.register.identity(person)
    with pytest.raises(NotFound, match="PARTY_UNKNOWN"):
        ledger.parties.register.find(identity["identifier"])
    with pytest.raises(NotFound, match="SEALED_ERASED"):
        desk.certify([unused["social_insurance"].request_id])
    assert ledger.usage.requests.note(unanswered) is None
    names = dict(ledger.parties.register.names([person, other]))
    assert names[person] == f"{person[:12]}…" and names[other] == ledger.parties.register.identity(other)["name"]
    assert (ledger.parties.register.get(person).account, ledger.parties.register.get(person).no) == (
        row.account,
        row.no,
    )
    assert desk.accepted(neighbour).valid
    again = ledger.erasure.party(subject(person), person, REQUEST)
    assert (again.entry, again.seq) == (erased.entry, erased.seq)


def test_who_was_erased_can_come_back_as_another_party(desk: Desk) -> None:
    ledger, person = desk.ledger, desk.person()
    identity, row = ledger.parties.register.identity(person), ledger.parties.register.get(person)
    ledger.erasure.party(subject(person), person, REQUEST)

    def onboard(key: str) -> str:
        newcomer = NewParty(PartyKind.PERSON, identity["name"], identity["identifier"], row.region, key)
        (back,) = ledger.parties.onboarding.onboard(ledger.authority, [newcomer])
        return back.id

    with pytest.raises(Conflict, match="ACCOUNT_IN_USE"):
        onboard(row.public_key)
    assert onboard(ledger.custody.public_key(*ledger.custody.create())) != person


def test_nobody_asks_about_who_was_erased(desk: Desk) -> None:
    """The note would be new text about it, which nobody erases."""
    ledger, person = desk.ledger, desk.person()
    drafted = ledger.usage.requests.draft(desk.terms(person), NOTE)
    ledger.erasure.party(subject(person), person, REQUEST)
    signed = desk.sign(desk.bank, drafted.entry)
    for attempt in (
        lambda: ledger.usage.requests.draft(desk.terms(person), NOTE),
        lambda: ledger.usage.requests.submit([Asked(signed, drafted.note)]),
    ):
        assert refusal(attempt) == "SUBJECT_ERASED"


def test_what_is_told_after_an_erasure_goes_with_the_next(desk: Desk) -> None:
    ledger, person = desk.ledger, desk.person()
    number = desk.certificate(person)
    first = erase(desk, person, number)
    consent = told(desk, number)[1]
    (answer,) = desk.answer({consent.id: desk.supplied()})
    late = next(record for record in told(desk, number) if record.digest == answer.digest)
    assert opens(desk, late) == [True]
    assert erase(desk, person, number).entry == first.entry
    assert opens(desk, late) == [False]
    assert erasures(ledger, person)[-1]["targets"] == [f"sha-256:{late.digest}"]


def test_institutions_and_who_is_on_the_register_keep_their_names(desk: Desk, pilot: Pilot) -> None:
    ledger, court = desk.ledger, office(desk, "authority")
    for party in (desk.bank, desk.statistics, ledger.installation.operator):
        with pytest.raises(Conflict, match="PARTY_NOT_A_SUBJECT"):
            ledger.erasure.party(court, party, COURT)
    firm = pilot.party(PartyKind.ENTERPRISE, Role.SUBJECT, Role.PROVIDER)
    (asset,) = pilot.handed_in(resource("erasure/held"), by=firm)
    ledger.parties.role_changes.set_roles(ledger.authority, firm, [Role.SUBJECT])
    with pytest.raises(Conflict, match="PARTY_ON_REGISTER"):
        ledger.erasure.party(court, firm, COURT)
    assert ledger.parties.register.identity(firm)["name"]
    ledger.registration.review.accept(ledger.actor(desk.registrar), [asset])
    ledger.registration.review.reject(ledger.actor(desk.registrar), asset, "Not its own")
    assert ledger.erasure.party(court, firm, COURT).entry["subject"] == firm


def test_a_long_erasure_is_told_in_several_entries(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    person = desk.person()
    number = desk.certificate(person, "S03")
    monkeypatch.setattr(erasure, "MAX_TARGETS", 3)
    erased = erase(desk, person, number)
    assert [len(entry["targets"]) for entry in erasures(desk.ledger, person)] == [3, 3, 2]
    assert erased.entry["targets"] == [f"sha-256:{record.digest}" for record in told(desk, number)[:3]]
