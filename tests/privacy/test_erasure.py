"""Erasing personal text destroys exactly the listed texts, keeps all proofs valid, and is recorded in the log."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import select

from ledger.connectors.answers import TimedOut
from ledger.errors import Conflict, NotFound
from ledger.installation.recovery.reclosing import apply_erasures
from ledger.privacy import erasure
from ledger.privacy.erasures_file import ErasedText
from ledger.proof.merkle import leaf_hash, root, verify_inclusion
from ledger.proof.verifier import Expectation
from ledger.store.tables import Batch, Entry
from ledger.usage.lookups import provisions_of
from tests.support.actors.erasing import COURT, REQUEST, erase, erasures, office, opens, records_of, subject
from tests.support.actors.persons import CONTRIBUTIONS, SCORES, PersonActors
from tests.support.actors.pilots import Pilot


def test_all_proofs_verify_after_an_erasure(persons: PersonActors) -> None:
    ledger, person, other = persons.ledger, persons.person(), persons.person()
    number, neighbour = persons.certificate(person), persons.certificate(other)
    nonce = ledger.verification.new_nonce()
    held = persons.show(number, nonce).to_bytes()
    erased = erase(persons, person, number)
    ledger.anchoring.flush()
    with pytest.raises(NotFound, match="SEALED_ERASED"):
        ledger.certificates.bundles.build(number)
    expect = Expectation(consumer=persons.bank, nonce=nonce)
    report = ledger.verification.verify(held, expect).report
    assert report.valid and report.disclosed["months_paid"] == 10
    assert persons.accepted(neighbour).valid
    assert ledger.inspection.head()["complete"]
    with ledger.database.read() as session:
        for batch in session.scalars(select(Batch)):
            first, last = batch.first_seq, batch.first_seq + batch.size - 1
            bodies = session.scalars(select(Entry.body).where(Entry.seq.between(first, last)).order_by(Entry.seq))
            anchored = ledger.reader.anchored(ledger.installation.issuer, batch.number)
            assert anchored is not None and root([leaf_hash(body) for body in bodies]).hex() == anchored.root
    proof = ledger.inspection.proof(ledger.actor(ledger.party), erased.seq)
    anchored = ledger.reader.anchored(proof["position"]["issuer"], proof["position"]["batch"])
    assert anchored is not None and proof["type"] == "erasure"
    nodes = [bytes.fromhex(node) for node in proof["proof"]]
    leaf, index = bytes.fromhex(proof["leaf"]), proof["position"]["index"]
    assert verify_inclusion(bytes.fromhex(anchored.root), leaf, index, anchored.size, nodes)


def test_an_erasure_lists_exactly_the_destroyed_texts(persons: PersonActors) -> None:
    person, other = persons.person(), persons.person()
    number, again, neighbour = persons.certificate(person), persons.certificate(person), persons.certificate(other)
    records = records_of(persons, number)
    assert len(records) == 4 and all(opens(persons, *records))
    erased = erase(persons, person, number)
    assert not any(opens(persons, *records))
    assert all(opens(persons, *records_of(persons, again), *records_of(persons, neighbour)))
    assert persons.ledger.parties.register.identity(person)["name"]
    entry = erased.entry
    assert (entry["subject"], entry["by"], entry["reason"]) == (person, person, REQUEST)
    assert entry["targets"] == [f"sha-256:{record.digest}" for record in records]
    assert erased.certificates == (number,)


def test_claims_of_all_sources_are_erased_together(persons: PersonActors) -> None:
    person = persons.person()
    number = persons.certificate(person, "S03")
    records = records_of(persons, number)
    assert len(records) == 1 + 3 + 3 + 1
    erase(persons, person, number)
    assert not any(opens(persons, *records))


def test_an_erased_certificate_stays_active(persons: PersonActors) -> None:
    ledger, person = persons.ledger, persons.person()
    number = persons.certificate(person)
    nonce = ledger.verification.new_nonce()
    held = persons.show(number, nonce).to_bytes()
    erase(persons, person, number)
    assert ledger.verification.status(number)["state"] == "active"
    assert ledger.verification.accept(ledger.actor(persons.bank), held, nonce).report.valid
    history = ledger.provenances.certificate(number)
    assert history.completeness.complete
    (event,) = [event for event in history.events if event["name"] == "Erased"]
    assert (event["by"], event["args"]) == (person, {"reason": REQUEST})
    with pytest.raises(NotFound, match="SEALED_ERASED"):
        ledger.certificates.disclosures.open(ledger.actor(persons.supervisor), number, "（2026）湛数监12号")
    request = records_of(persons, number)[0]
    assert ledger.usage.requests.note(request.id) is None
    assert ledger.usage.requests.get(request.id).state == "fulfilled"


def test_erasing_again_returns_the_first_erasure(persons: PersonActors) -> None:
    person = persons.person()
    number = persons.certificate(person)
    first, second = erase(persons, person, number), erase(persons, person, number)
    assert (first.entry, first.seq, first.certificates) == (second.entry, second.seq, second.certificates)
    assert len(erasures(persons.ledger, person)) == 1
    by_office = persons.ledger.erasure.certificate(office(persons, "platform"), number, COURT)
    assert by_office.entry == first.entry


def test_erasing_a_text_that_was_already_lost_is_recorded_as_an_erasure(persons: PersonActors) -> None:
    person = persons.person()
    number = persons.certificate(person)
    *others, certificate = records_of(persons, number)
    with persons.ledger.database.write() as session:
        for record in others:
            persons.ledger.sealer.erase(session, record.sealed_id)
    erased = erase(persons, person, number)
    assert erased.entry["targets"] == [f"sha-256:{certificate.digest}"]
    assert erase(persons, person, number).entry == erased.entry


def test_two_simultaneous_erasures_are_recorded_once(persons: PersonActors) -> None:
    ledger, person = persons.ledger, persons.person()
    number = persons.certificate(person)
    with ThreadPoolExecutor(6) as pool:
        ones = [pool.submit(erase, persons, person, number) for _ in range(3)]
        alls = [pool.submit(ledger.erasure.party, subject(person), person, REQUEST) for _ in range(3)]
        assert len({work.result().seq for work in ones}) == len({work.result().seq for work in alls}) == 1
    assert [len(entry["targets"]) for entry in erasures(ledger, person)] == [4, 0]


def test_an_interrupted_erasure_erases_nothing(persons: PersonActors, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger, person = persons.ledger, persons.person()
    number = persons.certificate(person)
    records = records_of(persons, number)
    written = erasure._record

    def break_off(*arguments: Any) -> str:
        written(*arguments)
        raise RuntimeError("power cut")

    with monkeypatch.context() as broken:
        broken.setattr(erasure, "_record", break_off)
        with pytest.raises(RuntimeError, match="power cut"):
            erase(persons, person, number)
        with pytest.raises(RuntimeError, match="power cut"):
            ledger.erasure.party(subject(person), person, REQUEST)
    assert all(opens(persons, *records)) and erasures(ledger, person) == []
    assert ledger.parties.register.find(ledger.parties.register.identity(person)["identifier"]).id == person
    assert erase(persons, person, number).certificates == (number,)


def test_erasing_a_certificate_erases_the_texts_of_its_earlier_versions(persons: PersonActors) -> None:
    ledger, person = persons.ledger, persons.person()
    request, given = persons.authorised(person)
    consent = given["social_insurance"].id
    persons.answer({consent: persons.supplied(CONTRIBUTIONS[:3])})
    (old,) = persons.certify([request])
    ledger.anchoring.flush()
    persons.answer({consent: persons.supplied()})
    new = ledger.usage.corrections.correct(ledger.actor(ledger.party), old.certificate_no)
    asked, consented, false, true, *_ = records_of(persons, new.certificate_no)
    first = erase(persons, person, old.certificate_no)
    assert opens(persons, old, false, new, true, asked, consented) == [False, False, True, True, True, True]
    assert first.entry["targets"] == [f"sha-256:{old.digest}", f"sha-256:{false.digest}"]
    assert persons.accepted(new.certificate_no).valid
    second = erase(persons, person, new.certificate_no)
    assert not any(opens(persons, old, false, new, true, asked, consented))
    assert second.certificates == (old.certificate_no, new.certificate_no)
    assert erase(persons, person, old.certificate_no).entry == first.entry


def test_erasing_an_old_version_of_a_certificate_keeps_the_disclosures_that_the_new_version_uses(
    persons: PersonActors,
) -> None:
    ledger, person = persons.ledger, persons.person()
    request, given = persons.authorised(person, "S03")
    persons.answer({consent.id: persons.supplied(SCORES) for consent in given.values()})
    (old,) = persons.certify([request])
    ledger.anchoring.flush()
    corrected = next(iter(given.values())).id
    persons.answer({corrected: persons.supplied([{"month": "202610", "score": "71"}])})
    new = ledger.usage.corrections.correct(ledger.actor(ledger.party), old.certificate_no)
    erased = erase(persons, person, old.certificate_no)
    with ledger.database.read() as session:
        (false, _) = provisions_of(session, corrected)
    assert erased.entry["targets"] == [f"sha-256:{old.digest}", f"sha-256:{false.digest}"]
    assert opens(persons, old, new) == [False, True] and persons.accepted(new.certificate_no).valid
    with pytest.raises(NotFound, match="SEALED_ERASED"):
        ledger.certificates.bundles.build(old.certificate_no)


def test_a_restored_version_stays_erased_although_a_newer_version_uses_all_its_provisions(
    persons: PersonActors,
) -> None:
    """After a restore from an old backup, the log may lack the erasure's entry. Then only the list of erasures, which
    is kept outside the backups, names the erased version.
    """
    ledger, person = persons.ledger, persons.person()
    request, given = persons.authorised(person, "S03")
    late, *others = (consent.id for consent in given.values())
    persons.answer({late: TimedOut(ledger.clock())} | {each: persons.supplied(SCORES) for each in others})
    (old,) = persons.certify([request])
    ledger.anchoring.flush()
    persons.answer({late: persons.supplied(SCORES)})
    new = ledger.usage.corrections.correct(ledger.actor(ledger.party), old.certificate_no)
    assert opens(persons, old, new) == [True, True]
    with ledger.database.write() as session:
        apply_erasures(session, [ErasedText(ledger.clock(), (old.digest,), None, ())])
    assert opens(persons, old, new) == [False, True] and persons.accepted(new.certificate_no).valid
    with pytest.raises(NotFound, match="SEALED_ERASED"):
        ledger.certificates.bundles.build(old.certificate_no)
    assert erase(persons, person, old.certificate_no).entry["targets"] == [f"sha-256:{old.digest}"]


def test_erasing_a_registration_certificate_is_refused_because_it_has_no_personal_text(
    persons: PersonActors, pilot: Pilot
) -> None:
    number = str(persons.ledger.registration.registrations.get(pilot.confirmed())["certificate_no"])
    with pytest.raises(Conflict, match="NO_PAYLOAD"):
        persons.ledger.erasure.certificate(office(persons, "authority"), number, COURT)
    with pytest.raises(NotFound, match="CERTIFICATE_UNKNOWN"):
        persons.ledger.erasure.certificate(office(persons, "authority"), "DAC-440802-2026-S01-00000123-V", COURT)
