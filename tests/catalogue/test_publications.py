"""Publication with the chief data officer's signature, with real keys and a real log."""

from __future__ import annotations

from typing import Any

from ledger.domain.entries import statement_digest
from ledger.domain.parties import Role
from ledger.errors import Conflict, Forbidden
from ledger.parties.roles import Actor
from ledger.proof.jws import sign_entry
from tests.support.actors.department import Department, refusal
from tests.support.actors.pilots import Pilot

REPORT = f"sha-256:{'a' * 64}"


def test_a_resource_can_be_published_after_the_chief_data_officer_signed_the_publication(office: Department) -> None:
    ledger, code = office.ledger, "published"
    office.put(code)
    ledger.catalogue.data.submit(office.provider, code)
    assert refusal(lambda: ledger.catalogue.publications.publish(office.provider, code)).code == "MOVE_NOT_ALLOWED"
    statement = office.signed(code)
    ledger.catalogue.publications.sign(office.cdo, statement)
    assert ledger.catalogue.publications.sign(office.cdo, statement).state == "cdo_signed", "again is once"
    assert refusal(lambda: ledger.catalogue.publications.publish(office.stranger, code)).code == "PARTY_LACKS_ROLE"
    row = ledger.catalogue.publications.publish(office.provider, code)
    assert (row.state, row.published_version) == ("published", 1)
    assert ledger.catalogue.publications.signature(code, 1) == statement
    assert ledger.catalogue.publications.signature(code, 2) is None
    assert statement["document_digest"] == ledger.catalogue.data.get(code)["document_digest"]
    assert ledger.catalogue.data.registrable(code, 1).code == code


def test_the_signed_publication_is_in_the_log(office: Department) -> None:
    office.put("logged")
    office.ledger.catalogue.data.submit(office.provider, "logged")
    statement = office.signed("logged")
    office.ledger.catalogue.publications.sign(office.cdo, statement)
    place = office.ledger.positions.wait(statement_digest(statement))
    assert place.issuer == office.ledger.installation.issuer


def test_a_publication_that_the_chief_data_officer_did_not_sign_is_refused(office: Department, pilot: Pilot) -> None:
    ledger, code = office.ledger, "wrong-signer"
    office.put(code)
    ledger.catalogue.data.submit(office.provider, code)
    draft = ledger.catalogue.publications.draft(office.cdo, code)
    bank = ledger.custody.signer(ledger.parties.register.get(pilot.cast.bank).account)
    officer = ledger.custody.signer(ledger.parties.register.get(office.cdo.party).account)
    other = Actor(pilot.cast.bank, frozenset({Role.CDO}))
    good = sign_entry(draft, officer)
    cases: list[tuple[Actor, dict[str, Any], str]] = [
        (office.cdo, sign_entry(draft, bank), "SIGNER_NOT_CDO"),
        (office.cdo, sign_entry(draft | {"cdo": pilot.cast.bank}, officer), "SIGNER_NOT_CDO"),
        (office.cdo, good | {"version": 2}, "SIGNER_NOT_CDO"),
        (other, sign_entry(draft | {"cdo": pilot.cast.bank}, bank), "NOT_THE_CDO"),
        (office.provider, good, "PARTY_LACKS_ROLE"),
        (office.cdo, sign_entry(draft | {"version": 2}, officer), "VERSION_OUTDATED"),
        (office.cdo, sign_entry(draft | {"document_digest": REPORT}, officer), "VERSION_OUTDATED"),
        (office.cdo, sign_entry(draft | {"iat": draft["iat"] + 10_000}, officer), "SIGNED_IN_FUTURE"),
        (office.cdo, draft, "ENTRY_SHAPE"),
    ]
    for actor, statement, expected in cases:
        error = refusal(lambda actor=actor, statement=statement: ledger.catalogue.publications.sign(actor, statement))
        assert error.code == expected, error
    assert office.state(code) == "submitted"
    assert refusal(lambda: ledger.catalogue.publications.draft(other, code)).code == "NOT_THE_CDO"
    assert refusal(lambda: ledger.catalogue.publications.draft(office.provider, code)).code == "PARTY_LACKS_ROLE"
    ledger.catalogue.publications.sign(office.cdo, good)
    assert (
        refusal(lambda: ledger.catalogue.publications.sign(office.cdo, office.signed(code))).code == "MOVE_NOT_ALLOWED"
    )


def test_a_signature_of_an_outdated_version_is_refused(office: Department) -> None:
    office.put("edited")
    office.ledger.catalogue.data.submit(office.provider, "edited")
    old = office.signed("edited")
    office.put("edited", title="改过")
    office.ledger.catalogue.data.submit(office.provider, "edited")
    assert refusal(lambda: office.ledger.catalogue.publications.sign(office.cdo, old)).code == "VERSION_OUTDATED"


def test_a_changed_resource_must_be_signed_and_published_again(office: Department) -> None:
    ledger, code = office.ledger, "change"
    office.publish(code)
    office.put(code, title="新题")
    assert (office.state(code), ledger.catalogue.data.get(code)["published_version"]) == ("changed", 1)
    assert ledger.catalogue.data.registrable(code).title != "新题"
    assert refusal(lambda: ledger.catalogue.data.registrable(code, 2)).code == "NOT_PUBLISHED"
    assert refusal(lambda: ledger.catalogue.publications.publish(office.provider, code)).code == "MOVE_NOT_ALLOWED"
    ledger.catalogue.data.submit(office.provider, code)
    ledger.catalogue.publications.sign(office.cdo, office.signed(code))
    assert ledger.catalogue.publications.publish(office.provider, code).published_version == 2


def test_only_an_authority_can_appoint_chief_data_officers(office: Department, pilot: Pilot) -> None:
    publications, department_ = office.ledger.catalogue.publications, pilot.cast.registrar
    for actor in (office.provider, office.cdo, office.consumer):
        error = refusal(lambda actor=actor: publications.appoint(actor, department_, office.cdo.party))
        assert error.code == "PARTY_LACKS_ROLE"
    own = refusal(lambda: publications.appoint(office.authority, department_, office.authority.party))
    assert own.code == "CDO_NOT_ITS_OWN"
    assert refusal(lambda: publications.appoint(office.authority, department_, department_)).code == "CDO_NOT_ITS_OWN"
    error = refusal(lambda: publications.appoint(office.authority, department_, pilot.cast.bank))
    assert isinstance(error, Conflict) and error.code == "CDO_ROLE_MISSING"


def test_a_chief_data_officer_cannot_sign_after_the_appointment_ended(office: Department) -> None:
    ledger, code = office.ledger, "ended"
    office.put(code)
    ledger.catalogue.data.submit(office.provider, code)
    statement = office.signed(code)
    ledger.catalogue.publications.appoint(office.authority, office.provider.party, None)
    try:
        error = refusal(lambda: ledger.catalogue.publications.sign(office.cdo, statement))
        assert isinstance(error, Forbidden) and error.code == "NOT_THE_CDO"
    finally:
        ledger.catalogue.publications.appoint(office.authority, office.provider.party, office.cdo.party)
    ledger.catalogue.publications.sign(office.cdo, statement)
