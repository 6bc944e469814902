"""A subject's list of who used its data: readings, presentations, uses and cases; and acts that the list leaves out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.exc import OperationalError

from ledger.certificates.tables import Presentation
from ledger.domain.parties import PartyKind, Role
from ledger.errors import NotFound
from ledger.installation.settings import Settings
from ledger.installation.wiring import Ledger, create_ledger, open_ledger
from ledger.parties.roles import Actor
from ledger.provenance.readings import MAX_WAITING, How, Readings, RecordedReading
from ledger.provenance.tables import Reading
from tests.support.actors.credit_bureau import FIELDS
from tests.support.actors.pilots import Pilot
from tests.support.actors.uses import logged

BANK = Actor("ba" * 32, frozenset({Role.CONSUMER}))


def readings_of(pilot: Pilot, firm: str) -> list[RecordedReading]:
    pilot.ledger.flush()
    return pilot.ledger.readings.page(pilot.cast.firms[firm], None, 100)


def presentations_of(pilot: Pilot, number: str) -> int:
    with pilot.ledger.database.read() as session:
        query = select(func.count()).select_from(Presentation).where(Presentation.certificate_no == number)
        return session.scalar(query) or 0


def test_a_subject_sees_all_readings_and_uses_of_its_data(pilot: Pilot) -> None:
    ledger, firm = pilot.ledger, pilot.firm()
    number, subject = pilot.certificate(firm), pilot.cast.firms[firm]
    reader = ledger.actor(subject)
    ledger.readings.of_bundle(reader, How.BUNDLE, ledger.certificates.bundles.build(number, FIELDS[:1]))
    ledger.flush()
    bundle, _nonce = pilot.present(firm, number)
    ledger.verification.check(ledger.actor(pilot.cast.bank), bundle.to_bytes(), None)
    assert pilot.accept(firm, number).valid
    ledger.certificates.disclosures.open(ledger.actor(pilot.cast.supervisor), number, "（2026）湛数监12号")
    ledger.readings.note(ledger.actor(pilot.cast.provider), How.ANSWER, None, subject, ["b", "a"])
    lines = readings_of(pilot, firm)
    assert [(line.how, line.by) for line in lines] == [
        ("bundle", subject),
        ("verified", pilot.cast.bank),
        ("used", pilot.cast.bank),
        ("case", pilot.cast.supervisor),
        ("answer", pilot.cast.provider),
    ]
    first, _check, used, case, answer = lines
    assert (first.fields, first.certificate_no) == (tuple(FIELDS[:1]), number)
    assert (used.result, used.fields) == ("valid", tuple(sorted(FIELDS)))
    assert (case.case, answer.fields, answer.certificate_no) == ("（2026）湛数监12号", ("a", "b"), None)
    page = ledger.readings.page(subject, lines[1].id, 2)
    assert page == lines[2:4]


def test_a_party_that_is_not_the_subject_does_not_see_who_used_the_data(pilot: Pilot) -> None:
    firm, other = pilot.firm(), pilot.firm()
    number = pilot.certificate(firm)
    pilot.ledger.readings.of_bundle(BANK, How.WALLET, pilot.ledger.certificates.bundles.build(number))
    assert len(readings_of(pilot, firm)) == 1
    assert readings_of(pilot, other) == []


def test_readings_are_kept_in_memory_until_many_readings_are_stored_in_one_statement(pilot: Pilot) -> None:
    ledger = pilot.ledger
    ledger.flush()
    statements: list[str] = []
    event.listen(ledger.database.engine, "before_cursor_execute", lambda *call: statements.append(call[2]))
    for number in range(50):
        ledger.readings.note(BANK, How.BUNDLE, None, "cd" * 32, [str(number)])
    assert statements == []
    assert ledger.readings.flush() == 50
    assert [statement.split()[0] for statement in statements].count("INSERT") == 1
    assert ledger.readings.flush() == 0


def test_closing_the_ledger_stores_waiting_readings(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", delay=0)
    with create_ledger(settings) as ledger:
        ledger.readings.note(BANK, How.BUNDLE, None, "cd" * 32, ["a"])
    with open_ledger(settings) as ledger:
        (line,) = ledger.readings.page("cd" * 32, None, 10)
        assert (line.by, line.fields) == (BANK.party, ("a",))


def test_readings_that_could_not_be_stored_are_kept(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    readings = Readings(ledger.database, ledger.clock)
    readings.note(BANK, How.BUNDLE, None, "ce" * 32, ["a"])
    with monkeypatch.context() as full:
        full.setattr(ledger.database, "write", _no_room)
        with pytest.raises(OperationalError):
            readings.flush()
    readings.note(BANK, How.BUNDLE, None, "ce" * 32, ["b"])
    assert readings.flush() == 2
    assert [line.fields for line in readings.page("ce" * 32, None, 10)] == [("a",), ("b",)]


def _no_room() -> object:
    raise OperationalError("INSERT", {}, Exception("database or disk is full"))


def test_the_number_of_waiting_readings_is_limited(ledger: Ledger) -> None:
    readings = Readings(ledger.database, ledger.clock)
    for _ in range(MAX_WAITING):
        readings.note(BANK, How.BUNDLE, None, "cf" * 32, [])
    with ledger.database.read() as session:
        assert session.scalar(select(func.count()).where(Reading.subject == "cf" * 32)) == MAX_WAITING


def test_a_forged_bundle_leaves_no_record_for_the_subject(pilot: Pilot) -> None:
    """If a forged bundle is checked or presented, neither the subject's list nor the log records it."""
    ledger, firm = pilot.ledger, pilot.firm()
    number = pilot.certificate(firm)
    bundle, nonce = pilot.present(firm, number)
    genuine = json.loads(bundle.to_bytes())
    token, _, rest = genuine["certificate"].partition("~")
    head, payload, signature = token.split(".")
    other = ("B" if signature[0] == "A" else "A") + signature[1:]
    forged = {**genuine, "certificate": f"{head}.{payload}.{other}~{rest}"}
    moved = {**genuine, "position": {**genuine["position"], "index": genuine["position"]["index"] + 1}}
    for junk in (forged, moved):
        raw = json.dumps(junk).encode()
        for _ in range(3):
            assert not ledger.verification.check(ledger.actor(pilot.cast.bank), raw, None).report.genuine
            assert not ledger.verification.accept(
                ledger.actor(pilot.cast.bank), raw, ledger.verification.new_nonce()
            ).report.genuine
    assert presentations_of(pilot, number) == 0
    assert (readings_of(pilot, firm), logged(pilot, number)) == ([], [])
    # The nonce was presented only with a forged bundle, so it is still valid for a genuine bundle.
    assert not ledger.verification.accept(
        ledger.actor(pilot.cast.bank), json.dumps(forged).encode(), nonce
    ).report.genuine
    assert ledger.verification.accept(ledger.actor(pilot.cast.bank), bundle.to_bytes(), nonce).report.valid


def test_a_strangers_verifications_are_recorded_once_a_day(pilot: Pilot) -> None:
    ledger, firm = pilot.ledger, pilot.firm()
    number = pilot.certificate(firm)
    bundle, _ = pilot.present(firm, number)
    raw, stranger = bundle.to_bytes(), pilot.cast.other_bank
    for _ in range(4):
        assert not ledger.verification.check(ledger.actor(stranger), raw, ledger.verification.new_nonce()).report.valid
        assert not ledger.verification.check(ledger.actor(stranger), raw, None).report.valid
        assert (
            ledger.verification.accept(ledger.actor(stranger), raw, ledger.verification.new_nonce()).report.result
            == "not_party"
        )
    assert [(line.by, line.result) for line in readings_of(pilot, firm)] == [(stranger, "not_party")]
    another = pilot.party(PartyKind.BANK, Role.CONSUMER)
    ledger.verification.check(ledger.actor(another), raw, None)
    assert presentations_of(pilot, number) == 2
    pilot.skip(86_400)
    ledger.verification.check(ledger.actor(stranger), raw, None)
    assert presentations_of(pilot, number) == 3


def test_a_stranger_sees_only_a_certificates_state_and_since_when_it_has_this_state(pilot: Pilot) -> None:
    ledger, firm = pilot.ledger, pilot.firm()
    number = pilot.certificate(firm)
    assert ledger.verification.public_status(number)["state"] == "active"
    ledger.certificates.status.revoke(number, "fraud")
    known, public = ledger.verification.status(number), ledger.verification.public_status(number)
    assert (known["reason"], "batch" in known, "index" in known) == ("fraud", True, True)
    assert public == {"certificate_no": number, "state": "revoked", "since": known["since"]}
    with pytest.raises(NotFound, match="CERTIFICATE_UNKNOWN"):
        ledger.verification.public_status("C44080000S51260000000000")


def test_the_public_status_of_a_certificate_without_an_anchor_has_only_the_state_building(pilot: Pilot) -> None:
    firm = pilot.firm()
    authorization = pilot.authorise(firm)
    pilot.supply(firm, authorization)
    number = pilot.actors.issue({firm: authorization})[firm]
    assert pilot.ledger.verification.public_status(number) == {"certificate_no": number, "state": "building"}
