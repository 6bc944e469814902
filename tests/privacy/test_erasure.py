"""Erasing personal text: what goes, what stays, who may, and that it is told in the log."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from ledger.certificates.tables import Certificate
from ledger.cli.main import app
from ledger.demo.actors import NOTE
from ledger.domain.days import DAY
from ledger.domain.parties import PartyKind, Role
from ledger.errors import Conflict, NotFound, PingzhengError
from ledger.installation.wiring import Ledger, open_ledger
from ledger.log.idempotency import Answer
from ledger.log.tables import IdempotentRequest
from ledger.parties.newcomers import NewParty
from ledger.parties.roles import Actor
from ledger.parties.tables import Party
from ledger.privacy import erasure
from ledger.privacy.erasure import Erased
from ledger.proof.merkle import leaf_hash, root, verify_inclusion
from ledger.proof.verifier import Expectation
from ledger.store.tables import Batch, Entry, Sealed
from ledger.usage.lookups import access_request, authorizations_of, certificates_of, provisions_of
from ledger.usage.requests import Asked
from tests.support.actors.persons import CONTRIBUTIONS, Desk
from tests.support.actors.pilots import Pilot, resource
from tests.support.machine.file_contents import contents

REQUEST, OVER, COURT = "subject_request", "retention_over", "court"


@pytest.fixture(scope="module")
def desk(pilot: Pilot) -> Desk:
    return Desk(pilot)


def subject(party: str) -> Actor:
    return Actor(party, frozenset({Role.SUBJECT}))


def erase(desk: Desk, person: str, number: str) -> Erased:
    return desk.ledger.erasure.certificate(subject(person), number, REQUEST)


def told(desk: Desk, number: str) -> list[Any]:
    """All records that were told for a certificate's request."""
    with desk.ledger.database.read() as session:
        request = access_request(session, str(session.get_one(Certificate, number).request_id))
        consents = authorizations_of(session, request.id)
        answers = [answer for consent in consents for answer in provisions_of(session, consent.id)]
        return [request, *consents, *answers, *certificates_of(session, request.id)]


def opens(desk: Desk, *records: Any) -> list[bool]:
    with desk.ledger.database.read() as session:
        kept = desk.ledger.sealer.kept(session, [record.sealed_id for record in records])
    return [record.sealed_id in kept for record in records]


def erasures(ledger: Ledger, party: str) -> list[dict[str, Any]]:
    with ledger.database.read() as session:
        bodies = session.scalars(select(Entry.body).where(Entry.type == "erasure").order_by(Entry.seq))
        return [entry for entry in map(json.loads, bodies) if entry["subject"] == party]


def refusal(attempt: Callable[[], object]) -> str:
    try:
        attempt()
    except PingzhengError as error:
        return error.code
    return "done"


@contextmanager
def at(ledger: Ledger, time: int) -> Iterator[Ledger]:
    """The same ledger as it will be at a time."""
    with open_ledger(ledger.settings, clock=lambda: time) as opened:
        yield opened


def test_after_an_erasure_everything_but_the_text_still_verifies(desk: Desk) -> None:
    ledger, person, other = desk.ledger, desk.person(), desk.person()
    number, neighbour = desk.certificate(person), desk.certificate(other)
    nonce = ledger.verification.new_nonce()
    held = desk.show(number, nonce).to_bytes()
    erased = erase(desk, person, number)
    ledger.anchoring.flush()
    with pytest.raises(NotFound, match="SEALED_ERASED"):
        ledger.bundles.build(number)
    expect = Expectation(consumer=desk.bank, nonce=nonce)
    report = ledger.verification.verify(held, expect).report
    assert report.valid and report.disclosed["months_paid"] == 10
    assert desk.accepted(neighbour).valid
    assert ledger.inspection.head()["complete"]
    with ledger.database.read() as session:
        for batch in session.scalars(select(Batch)):
            first, last = batch.first_seq, batch.first_seq + batch.size - 1
            bodies = session.scalars(select(Entry.body).where(Entry.seq.between(first, last)).order_by(Entry.seq))
            anchored = ledger.reader.anchored(ledger.installation.issuer, batch.number)
            assert anchored is not None and root([leaf_hash(body) for body in bodies]).hex() == anchored.root
    proof = ledger.inspection.proof(erased.seq)
    anchored = ledger.reader.anchored(proof["position"]["issuer"], proof["position"]["batch"])
    assert anchored is not None and proof["type"] == "erasure"
    nodes = [bytes.fromhex(node) for node in proof["proof"]]
    leaf, index = bytes.fromhex(proof["leaf"]), proof["position"]["index"]
    assert verify_inclusion(bytes.fromhex(anchored.root), leaf, index, anchored.size, nodes)


def test_an_erasure_names_all_that_it_destroyed_and_destroys_nothing_else(desk: Desk) -> None:
    person, other = desk.person(), desk.person()
    number, again, neighbour = desk.certificate(person), desk.certificate(person), desk.certificate(other)
    records = told(desk, number)
    assert len(records) == 4 and all(opens(desk, *records))
    erased = erase(desk, person, number)
    assert not any(opens(desk, *records))
    assert all(opens(desk, *told(desk, again), *told(desk, neighbour)))
    assert desk.ledger.parties.identity(person)["name"]
    entry = erased.entry
    assert (entry["subject"], entry["by"], entry["reason"]) == (person, person, REQUEST)
    assert entry["targets"] == [f"sha-256:{record.digest}" for record in records]
    assert erased.certificates == (number,)


def test_several_sources_go_together(desk: Desk) -> None:
    person = desk.person()
    number = desk.certificate(person, "S03")
    records = told(desk, number)
    assert len(records) == 1 + 3 + 3 + 1
    erase(desk, person, number)
    assert not any(opens(desk, *records))


def test_a_certificate_that_is_erased_is_not_ended(desk: Desk) -> None:
    ledger, person = desk.ledger, desk.person()
    number = desk.certificate(person)
    nonce = ledger.verification.new_nonce()
    held = desk.show(number, nonce).to_bytes()
    erase(desk, person, number)
    assert ledger.verification.status(number)["state"] == "active"
    assert ledger.verification.accept(held, desk.bank, nonce).report.valid
    history = ledger.provenances.certificate(number)
    assert history.completeness.complete
    (event,) = [event for event in history.events if event["name"] == "Erased"]
    assert (event["by"], event["args"]) == (person, {"reason": REQUEST})
    with pytest.raises(NotFound, match="SEALED_ERASED"):
        ledger.disclosures.open(ledger.parties.actor(desk.supervisor), number, "（2026）湛数监12号")
    request = told(desk, number)[0]
    assert ledger.requests.note(request.id) is None
    assert ledger.requests.get(request.id).state == "fulfilled"


def test_erasing_again_tells_the_same(desk: Desk) -> None:
    person = desk.person()
    number = desk.certificate(person)
    first, second = erase(desk, person, number), erase(desk, person, number)
    assert (first.entry, first.seq, first.certificates) == (second.entry, second.seq, second.certificates)
    assert len(erasures(desk.ledger, person)) == 1
    by_office = desk.ledger.erasure.certificate(office(desk, "platform"), number, COURT)
    assert by_office.entry == first.entry


def test_text_that_is_gone_by_other_means_is_told_as_erased(desk: Desk) -> None:
    person = desk.person()
    number = desk.certificate(person)
    *others, certificate = told(desk, number)
    with desk.ledger.database.write() as session:
        for record in (*others, certificate):
            desk.ledger.sealer.erase(session, record.sealed_id)
    erased = erase(desk, person, number)
    assert erased.entry["targets"] == [f"sha-256:{certificate.digest}"]
    assert erase(desk, person, number).entry == erased.entry


def test_two_who_erase_at_once_make_one_erasure(desk: Desk) -> None:
    ledger, person = desk.ledger, desk.person()
    number = desk.certificate(person)
    with ThreadPoolExecutor(6) as pool:
        ones = [pool.submit(erase, desk, person, number) for _ in range(3)]
        alls = [pool.submit(ledger.erasure.party, subject(person), person, REQUEST) for _ in range(3)]
        assert len({work.result().seq for work in ones}) == len({work.result().seq for work in alls}) == 1
    assert [len(entry["targets"]) for entry in erasures(ledger, person)] == [4, 0]


def test_an_erasure_that_breaks_off_has_erased_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger, person = desk.ledger, desk.person()
    number = desk.certificate(person)
    records = told(desk, number)
    written = erasure._record

    def break_off(*arguments: Any) -> str:
        written(*arguments)
        raise RuntimeError("power cut")

    with monkeypatch.context() as broken:
        broken.setattr(erasure, "_record", break_off)
        with pytest.raises(RuntimeError, match="power cut"):
            erase(desk, person, number)
        with pytest.raises(RuntimeError, match="power cut"):
            ledger.erasure.party(subject(person), person, REQUEST)
    assert all(opens(desk, *records)) and erasures(ledger, person) == []
    assert ledger.parties.find(ledger.parties.identity(person)["identifier"]).id == person
    assert erase(desk, person, number).certificates == (number,)


def test_a_version_goes_with_those_that_it_supersedes(desk: Desk) -> None:
    ledger, person = desk.ledger, desk.person()
    request, given = desk.authorised(person)
    consent = given["social_insurance"].id
    desk.answer({consent: desk.supplied(CONTRIBUTIONS[:3])})
    (old,) = desk.certify([request])
    ledger.anchoring.flush()
    desk.answer({consent: desk.supplied()})
    new = ledger.corrections.correct(old.certificate_no)
    asked, consented, false, true, *_ = told(desk, new.certificate_no)
    first = erase(desk, person, old.certificate_no)
    assert opens(desk, old, false, new, true, asked, consented) == [False, False, True, True, True, True]
    assert first.entry["targets"] == [f"sha-256:{old.digest}", f"sha-256:{false.digest}"]
    assert desk.accepted(new.certificate_no).valid
    second = erase(desk, person, new.certificate_no)
    assert not any(opens(desk, old, false, new, true, asked, consented))
    assert second.certificates == (old.certificate_no, new.certificate_no)
    assert erase(desk, person, old.certificate_no).entry == first.entry


OFFICES = ("platform", "authority")
WHO = ("subject", "other subject", *OFFICES, "bank", "provider", "registrar", "supervisor")
MAY = {
    ("subject", REQUEST): "done",
    ("subject", OVER): "ERASURE_REASON",
    ("subject", COURT): "ERASURE_REASON",
    **{(office, REQUEST): "ERASURE_REASON" for office in OFFICES},
    **{(office, OVER): "RETENTION_NOT_OVER" for office in OFFICES},
    **{(office, COURT): "done" for office in OFFICES},
}


def office(desk: Desk, who: str) -> Actor:
    own = desk.ledger.installation
    parties = {"platform": own.operator, "authority": own.authority_party, "bank": desk.bank}
    parties |= {"provider": desk.statistics, "registrar": desk.registrar, "supervisor": desk.supervisor}
    return desk.ledger.parties.actor(parties[who])


@pytest.mark.parametrize("who", WHO)
def test_who_may_erase_and_why(desk: Desk, who: str) -> None:
    ledger, person = desk.ledger, desk.person()
    number = desk.certificate(person)
    actor = {"subject": subject(person), "other subject": subject(desk.person())}.get(who) or office(desk, who)
    for reason in (OVER, REQUEST, COURT):
        expected = MAY.get((who, reason), "PARTY_LACKS_ROLE")
        assert refusal(lambda: ledger.erasure.certificate(actor, number, reason)) == expected, reason  # noqa: B023
        assert refusal(lambda: ledger.erasure.party(actor, person, reason)) == expected, reason  # noqa: B023
    done = "done" in [MAY.get((who, reason)) for reason in (REQUEST, COURT)]
    assert bool(erasures(ledger, person)) == done


def test_retention_is_over_so_many_days_after_the_end_of_validity(desk: Desk) -> None:
    ledger, person = desk.ledger, desk.person()
    number = desk.certificate(person)
    over = ledger.holdings.get(number).exp + 30 * DAY
    with at(ledger, over - 1) as early:
        for attempt in (early.erasure.certificate, early.erasure.party):
            with pytest.raises(Conflict, match="RETENTION_NOT_OVER") as caught:
                attempt(office(desk, "platform"), number if attempt == early.erasure.certificate else person, OVER)
            assert caught.value.details == {"over": over}
    with at(ledger, over) as late:
        assert late.erasure.certificate(office(desk, "platform"), number, OVER).entry["reason"] == OVER
        assert late.erasure.party(office(desk, "authority"), person, OVER).certificates == (number,)


def test_retention_of_what_came_to_no_certificate(desk: Desk) -> None:
    ledger, person = desk.ledger, desk.person()
    (request,) = desk.ask([desk.terms(person)])
    over = ledger.requests.statement(request)["valid_to"] + 30 * DAY
    for time, expected in ((over - 1, "RETENTION_NOT_OVER"), (over, "done")):
        with at(ledger, time) as then:
            assert refusal(lambda: then.erasure.party(office(desk, "platform"), person, OVER)) == expected


def test_a_person_goes_with_everything_that_was_told_of_it(desk: Desk) -> None:
    ledger, person, other = desk.ledger, desk.person(), desk.person()
    number, neighbour = desk.certificate(person), desk.certificate(other)
    _, unused = desk.authorised(person)
    desk.answer({unused["social_insurance"].id: desk.supplied()})
    (unanswered,) = desk.ask([desk.terms(person)])
    identity, row = ledger.parties.identity(person), ledger.parties.get(person)
    erased = ledger.erasure.party(subject(person), person, REQUEST)
    assert (erased.entry["targets"], erased.certificates, erased.scrubbed) == ([], (number,), True)
    assert sorted(len(entry["targets"]) for entry in erasures(ledger, person)) == [0, 1, 3, 4]
    with pytest.raises(NotFound, match="SEALED_ERASED"):
        ledger.parties.identity(person)
    with pytest.raises(NotFound, match="PARTY_UNKNOWN"):
        ledger.parties.find(identity["identifier"])
    with pytest.raises(NotFound, match="SEALED_ERASED"):
        desk.certify([unused["social_insurance"].request_id])
    assert ledger.requests.note(unanswered) is None
    names = dict(ledger.parties.names([person, other]))
    assert names[person] == f"{person[:12]}…" and names[other] == ledger.parties.identity(other)["name"]
    assert (ledger.parties.get(person).account, ledger.parties.get(person).no) == (row.account, row.no)
    assert desk.accepted(neighbour).valid
    again = ledger.erasure.party(subject(person), person, REQUEST)
    assert (again.entry, again.seq) == (erased.entry, erased.seq)


def test_who_was_erased_can_come_back_as_another_party(desk: Desk) -> None:
    ledger, person = desk.ledger, desk.person()
    identity, row = ledger.parties.identity(person), ledger.parties.get(person)
    ledger.erasure.party(subject(person), person, REQUEST)

    def onboard(key: str) -> str:
        newcomer = NewParty(PartyKind.PERSON, identity["name"], identity["identifier"], row.region, key)
        (back,) = ledger.onboarding.onboard(ledger.authority, [newcomer])
        return back.id

    with pytest.raises(Conflict, match="ACCOUNT_IN_USE"):
        onboard(row.public_key)
    assert onboard(ledger.custody.public_key(*ledger.custody.create())) != person


def test_nobody_asks_about_who_was_erased(desk: Desk) -> None:
    """The note would be new text about it, which nobody erases."""
    ledger, person = desk.ledger, desk.person()
    drafted = ledger.requests.draft(desk.terms(person), NOTE)
    ledger.erasure.party(subject(person), person, REQUEST)
    signed = desk.sign(desk.bank, drafted.entry)
    for attempt in (
        lambda: ledger.requests.draft(desk.terms(person), NOTE),
        lambda: ledger.requests.submit([Asked(signed, drafted.note)]),
    ):
        assert refusal(attempt) == "SUBJECT_ERASED"


def test_what_is_told_after_an_erasure_goes_with_the_next(desk: Desk) -> None:
    ledger, person = desk.ledger, desk.person()
    number = desk.certificate(person)
    first = erase(desk, person, number)
    consent = told(desk, number)[1]
    (late,) = desk.answer({consent.id: desk.supplied()})
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
    ledger.role_changes.set_roles(ledger.authority, firm, [Role.SUBJECT])
    with pytest.raises(Conflict, match="PARTY_ON_REGISTER"):
        ledger.erasure.party(court, firm, COURT)
    assert ledger.parties.identity(firm)["name"]
    ledger.review.accept(desk.registrar, [asset])
    ledger.review.reject(desk.registrar, asset, "Not its own")
    assert ledger.erasure.party(court, firm, COURT).entry["subject"] == firm


def test_a_registration_certificate_has_no_text_to_erase(desk: Desk, pilot: Pilot) -> None:
    number = str(desk.ledger.registrations.get(pilot.confirmed())["certificate_no"])
    with pytest.raises(Conflict, match="NO_PAYLOAD"):
        desk.ledger.erasure.certificate(office(desk, "authority"), number, COURT)
    with pytest.raises(NotFound, match="CERTIFICATE_UNKNOWN"):
        desk.ledger.erasure.certificate(office(desk, "authority"), "DAC-440802-2026-S01-00000123-V", COURT)


def test_no_file_keeps_what_was_erased(desk: Desk) -> None:
    ledger, person, other = desk.ledger, desk.person(), desk.person()
    number, neighbour = desk.certificate(person), desk.certificate(other)
    with ledger.database.read() as session:
        row, other_row = session.get_one(Party, person), session.get_one(Party, other)
    identity, lookup = ledger.parties.identity(person), row.lookup
    gone = sealed(desk, *told(desk, number), row)
    kept = sealed(desk, *told(desk, neighbour), other_row)
    assert len(gone) == 10 and all(map(found(ledger), [*gone, lookup.encode()]))
    assert ledger.erasure.party(subject(person), person, REQUEST).scrubbed
    present = found(ledger)
    assert not [text for text in (*gone, lookup.encode(), identity["name"].encode()) if present(text)]
    assert all(map(present, kept))


def sealed(desk: Desk, *records: Any) -> list[bytes]:
    """Wrapped keys and ciphertexts of these records."""
    with desk.ledger.database.read() as session:
        query = select(Sealed).where(Sealed.id.in_([record.sealed_id for record in records]))
        return [bytes(part or b"") for row in session.scalars(query) for part in (row.wrapped_key, row.ciphertext)]


def found(ledger: Ledger) -> Callable[[bytes], bool]:
    """Whether a text is in any file of the ledger's home now."""
    files = contents(ledger.settings.home).values()
    return lambda text: any(text in file for file in files)


def test_digests_of_what_was_sent_are_forgotten_with_it(desk: Desk, pilot: Pilot) -> None:
    """What the provider sent, and what a broker did for the bank, with a mandate that is over by now."""
    ledger, person, other = desk.ledger, desk.person(), desk.person()
    number, neighbour = desk.certificate(person), desk.certificate(other)
    broker = pilot.party(PartyKind.BROKER, Role.BROKER)
    ledger.mandates.give(ledger.parties.actor(desk.bank), desk.bank, broker, ledger.clock())

    def sent(by: str, key: str, answer: str, *, answered: bool = True) -> None:
        before = remembered(desk, by)
        ledger.idempotency.once(by, key, b"rows", lambda: Answer(201, {"id": answer}))
        if not answered:
            (new,) = remembered(desk, by) - before
            with ledger.database.write() as session:
                session.get_one(IdempotentRequest, (by, new)).status = None

    request, _, provision, _ = told(desk, number)
    other_request, _, other_provision, _ = told(desk, neighbour)
    left = {}
    for by, gone, kept in ((provision.provider, provision, other_provision), (broker, request, other_request)):
        sent(by, "of the other", kept.id)
        left[by] = remembered(desk, by)
        sent(by, "of the one", gone.id)
        sent(by, "broke off", kept.id, answered=False)
    erase(desk, person, number)
    assert {by: remembered(desk, by) for by in left} == left


def remembered(desk: Desk, party: str) -> set[str]:
    with desk.ledger.database.read() as session:
        return set(session.scalars(select(IdempotentRequest.key).where(IdempotentRequest.party_id == party)))


def test_of_a_key_that_names_somebody_only_a_digest_is_kept(desk: Desk) -> None:
    """Clients make up keys of what they are about: it is the same key again, and cannot be read."""
    ledger, person = desk.ledger, desk.person()
    key, works = f"loan-{ledger.parties.identity(person)['identifier']}", iter(range(9))
    for _ in range(2):
        assert ledger.idempotency.once(desk.bank, key, b"body", lambda: Answer(201, {"n": next(works)})).body == {
            "n": 0
        }
    assert not found(ledger)(key.encode())


def test_a_long_erasure_is_told_in_several_entries(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    person = desk.person()
    number = desk.certificate(person, "S03")
    monkeypatch.setattr(erasure, "MAX_TARGETS", 3)
    erased = erase(desk, person, number)
    assert [len(entry["targets"]) for entry in erasures(desk.ledger, person)] == [3, 3, 2]
    assert erased.entry["targets"] == [f"sha-256:{record.digest}" for record in told(desk, number)[:3]]


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, [*arguments])


def test_commands_erase_only_when_it_is_confirmed(desk: Desk) -> None:
    ledger, person = desk.ledger, desk.person()
    home, number = str(ledger.settings.home), desk.certificate(person)
    asked = run("certificate", "erase", number, "--reason", REQUEST, "--home", home, "--json")
    assert (asked.exit_code, json.loads(asked.stdout)["error"]) == (2, "NOT_CONFIRMED")
    assert erasures(ledger, person) == []
    done = run("certificate", "erase", number, "--reason", REQUEST, "--yes", "--home", home, "--json")
    answer = json.loads(done.stdout)
    assert (answer["by"], answer["certificates"], answer["scrubbed"]) == (person, [number], True)
    whole = run("party", "erase", person, "--reason", COURT, "--by", "authority", "--yes", "--home", home)
    assert whole.exit_code == 0 and "删除 Erasure" in whole.stdout
    assert erasures(ledger, person)[-1]["by"] == ledger.installation.authority_party
    wrong = run("party", "erase", person, "--reason", COURT, "--by", desk.bank, "--yes", "--home", home, "--json")
    assert (wrong.exit_code, json.loads(wrong.stdout)["error"]) == (2, "PARTY_LACKS_ROLE")


@pytest.mark.parametrize(("answer", "code"), [("n\n", 2), ("y\n", 0)])
def test_a_terminal_is_asked_first(desk: Desk, answer: str, code: int) -> None:
    person = desk.person()
    number = desk.certificate(person)
    command = [sys.executable, "-c", "from ledger.cli.main import app; app()", "certificate", "erase", number]
    command += ["--reason", REQUEST, "--home", str(desk.ledger.settings.home)]
    keyboard, terminal = pty.openpty()
    os.write(keyboard, answer.encode())
    with os.fdopen(keyboard, "wb"):
        asked = subprocess.run(
            command, stdin=terminal, capture_output=True, text=True, timeout=60, cwd=Path(__file__).parents[2]
        )
        os.close(terminal)
    assert asked.returncode == code, asked.stderr
    assert "Go on?" in asked.stderr
    assert len(erasures(desk.ledger, person)) == (code == 0)
