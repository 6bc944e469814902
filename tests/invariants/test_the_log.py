"""Invariants of the log, and of all texts that leave the ledger. These tests run last and check the records that the
other tests of this folder made.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pymerkle import InmemoryTree
from sqlalchemy import select

from ledger.certificates.verification.judging import Verified
from ledger.demo.actors import NOTE
from ledger.domain.codes import synthetic_resident_id
from ledger.domain.parties import PartyKind
from ledger.errors import InvalidInput, NotFound, PingzhengError
from ledger.installation.wiring import Ledger
from ledger.parties.newcomers import NewParty
from ledger.parties.tables import Party
from ledger.proof.head import event_digest
from ledger.proof.merkle import leaf_hash
from ledger.store.tables import Batch, Entry
from ledger.usage.request_notes import Note
from ledger.usage.requests import Asked
from tests.support.actors.persons import PersonActors
from tests.support.actors.pilots import Pilot
from tests.support.chain.reads import next_seq
from tests.support.personal_text import patterns_in
from tests.support.places import PROJECT


def test_invariant_10_the_log_has_no_gap_and_every_changed_byte_is_located(pilot: Pilot) -> None:
    """The third-party library pymerkle recomputes the roots. For a node that hides an event, see
    tests/index/test_hidden.py.
    """
    ledger, issuer = pilot.ledger, pilot.ledger.installation.issuer
    for _ in range(3):
        pilot.certificate(pilot.firm())
    with ledger.database.read() as session:
        entries = list(session.execute(select(Entry.seq, Entry.body, Entry.leaf).order_by(Entry.seq)))
        batches = list(session.scalars(select(Batch).order_by(Batch.number)))
    assert [row.seq for row in entries] == list(range(next_seq(ledger.reader, issuer)))
    assert [batch.number for batch in batches] == list(range(ledger.reader.batch_count(issuer)))
    assert all(one.first_seq + one.size == other.first_seq for one, other in pairwise(batches))
    stated = [(row.seq, json.loads(row.body)) for row in entries]
    assert {body["ledger"] for _, body in stated} == {ledger.reader.chain.ledger}
    numbered = [(seq, body["seq"]) for seq, body in stated if body["type"] == "certificate"]
    assert len(numbered) >= 3 and all(seq == said for seq, said in numbered)
    bodies = [bytes(row.body) for row in entries]

    def differing(changed_bodies: list[bytes]) -> list[int]:
        """Compute each batch's commitment with a third-party library. Return the numbers of the batches whose
        commitment on the chain is different.
        """
        return [
            batch.number
            for batch in batches
            if commitment_of(batch, changed_bodies[batch.first_seq : batch.first_seq + batch.size])
            != ledger.reader.commitment(issuer, batch.number)
        ]

    assert differing(bodies) == []
    for batch in (batches[0], batches[len(batches) // 2], batches[-1]):
        seq = batch.first_seq + batch.size // 2
        changed = bytearray(bodies[seq])
        changed[len(changed) // 2] ^= 1
        altered = [*bodies[:seq], bytes(changed), *bodies[seq + 1 :]]
        assert differing(altered) == [batch.number]
        leaves = [row.leaf for row in entries]
        assert [at for at, body in enumerate(altered) if leaf_hash(body).hex() != leaves[at]] == [seq]
    assert ledger.inspection.head()["complete"]


NAME, ID_NUMBER, PHONE = "湛江林某某九九号", synthetic_resident_id(9_999), "13800138000"


def slips(pilot: Pilot, persons: PersonActors) -> dict[str, Callable[[], object]]:
    """Return calls with wrong inputs; each input contains a name, an ID number or a phone number."""
    ledger, (_request, given) = pilot.ledger, persons.authorised(persons.person())
    consent = given["social_insurance"].id
    terms, whole = persons.terms(persons.person()), {"month": "202601", "base": "1"}
    key = ledger.custody.public_key(*ledger.custody.create())
    person = NewParty(PartyKind.PERSON, NAME, ID_NUMBER, "440881", key)
    note = {"contact": PHONE, "purpose_note": NAME, "business_ref": ID_NUMBER, "salt": "short"}
    drafted = ledger.usage.requests.draft(terms, Note(PHONE, NAME, ID_NUMBER))
    bundle = persons.show(persons.certificate(persons.person()), "nonce").to_dict()

    def rows(**changes: str) -> Callable[[], object]:
        return lambda: persons.answer({consent: persons.supplied([whole | changes])})

    def odd(**changes: Any) -> Callable[[], object]:
        return lambda: ledger.usage.requests.draft(replace(terms, **changes), NOTE)

    def shown(change: dict[str, Any]) -> Callable[[], object]:
        return lambda: require_valid(
            ledger.verification.accept(ledger.actor(persons.bank), json.dumps(bundle | change).encode(), PHONE)
        )

    return {
        "a number in a cell": rows(base=ID_NUMBER + "号"),
        "a phone for a month": rows(month=PHONE),
        "a column too few": lambda: persons.answer({consent: persons.supplied([{ID_NUMBER: "1", NAME: "2"}])}),
        "a field": odd(fields=(ID_NUMBER,)),
        "a scenario": odd(scenario=NAME),
        "a subject": odd(subject=ID_NUMBER),
        "a source": odd(sources={NAME: PHONE}),
        "a channel": odd(channel=PHONE),
        "a digest": lambda: persons.ask([replace(terms, pia_digest=ID_NUMBER)]),
        "a party": lambda: ledger.parties.register.find(ID_NUMBER),
        "an id": lambda: ledger.parties.register.get(NAME),
        "a wrong check digit": lambda: ledger.parties.onboarding.onboard(
            ledger.authority, [replace(person, identifier="440881199001011234")]
        ),
        "no such day": lambda: ledger.parties.onboarding.onboard(
            ledger.authority, [replace(person, identifier="44088119900231123X")]
        ),
        "a region": lambda: ledger.parties.onboarding.onboard(ledger.authority, [replace(person, region=NAME)]),
        "a key": lambda: ledger.parties.onboarding.onboard(ledger.authority, [replace(person, public_key=ID_NUMBER)]),
        "a name too long": lambda: ledger.parties.onboarding.onboard(
            ledger.authority, [replace(person, name=NAME * 100)]
        ),
        "a note that was changed": lambda: ledger.usage.requests.submit(
            [Asked(persons.sign(persons.bank, drafted.entry), note)]
        ),
        "a certificate": lambda: ledger.usage.holdings.get(ID_NUMBER),
        "a request": lambda: ledger.usage.requests.get(PHONE),
        "an authorization": lambda: ledger.usage.authorizations.get(NAME),
        "a claim": lambda: persons.show(persons.certificate(persons.person()), "nonce", [NAME]),
        "a member of a bundle": shown({NAME: ID_NUMBER}),
        "a certificate in a bundle": shown({"certificate": ID_NUMBER}),
        "a reason": lambda: ledger.certificates.status.suspend(bundle["certificate"][:20], NAME),
        "an entry": lambda: ledger.usage.authorizations.submit([{"type": NAME, "subject": ID_NUMBER}]),
    }


def require_valid(verified: Verified) -> None:
    """Raise an error with the report unless the report is valid."""
    if (failure := verified.report.first_failure) is not None:
        raise InvalidInput(failure.code, failure.message, **failure.details)


def test_invariant_12_an_id_number_or_phone_number_or_name_is_in_no_entry_no_event_no_log_line_and_no_error(
    pilot: Pilot, persons: PersonActors, lines: list[Any]
) -> None:
    """For files, the chain and the API's answers after a whole run of the pilot, see tests/privacy/test_leaks.py."""
    ledger, note = pilot.ledger, Note(PHONE, f"{NAME} {ID_NUMBER}", ID_NUMBER)
    asked = ledger.usage.requests.draft(persons.terms(persons.person()), note)
    ledger.usage.requests.submit([Asked(persons.sign(persons.bank, asked.entry), asked.note)])
    errors = {name: refusal_of(slip) for name, slip in slips(pilot, persons).items()}
    assert [name for name, error in errors.items() if not error] == []
    ledger.anchoring.flush()
    ledger.follower.sync()
    with ledger.database.read() as session:
        entries = [bytes(body).decode() for body in session.scalars(select(Entry.body))]
        parties = list(session.scalars(select(Party.id)))
    spoken = {
        "entries": entries,
        "events": [str(rows) for rows in ledger.follower.snapshot_rows().values()],
        "log lines": [str(line) for line in lines],
    }
    assert all(spoken.values())
    assert {json.loads(entry)["type"] for entry in entries} >= {"request", "authorization", "provision", "certificate"}
    names = {text for party in parties for text in known(ledger, party)} | {NAME, ID_NUMBER, PHONE}
    wrong = {
        f"{place}: {text}": found
        for place, texts in (spoken | {name: [error] for name, error in errors.items()}).items()
        for text in texts
        if (found := [*patterns_in(text), *(name for name in names if name in text)])
    }
    assert wrong == {}


def refusal_of(slip: Callable[[], object]) -> str:
    """Return all text of the error that ``slip`` raises; return an empty text if it raises no error."""
    try:
        slip()
    except PingzhengError as error:
        return f"{error} {json.dumps(error.details, ensure_ascii=False, default=str)} {error.args}"
    return ""


def known(ledger: Ledger, party: str) -> list[str]:
    """Return a party's name and identifier; return nothing if the party is erased."""
    try:
        return list(ledger.parties.register.identity(party).values())
    except NotFound:
        return []


def commitment_of(batch: Batch, entries: list[bytes]) -> str:
    """Return the anchor commitment of a batch with these entries."""
    tree = InmemoryTree(algorithm="sha256")
    for entry in entries:
        tree.append_entry(entry)
    args = {"issuer": batch.issuer, "batch": batch.number, "firstSeq": batch.first_seq, "size": batch.size}
    return event_digest("CertificateLog.Anchored", args | {"root": tree.get_state().hex(), "at": batch.at}).hex()


NAMED = re.compile(r"(tests/[\w/]+)\.(py|t\.sol)(?:::(\w+))?")
NAMES = {named for path in Path(__file__).parent.glob("test_*.py") for named in NAMED.findall(path.read_text("utf-8"))}


@pytest.mark.parametrize(("path", "kind", "test"), sorted(NAMES))
def test_tests_named_in_docstrings_exist(path: str, kind: str, test: str) -> None:
    assert (PROJECT / f"{path}.{kind}").exists()
    if test:
        assert callable(getattr(import_module(path.replace("/", ".")), test))


def test_every_invariant_has_its_test() -> None:
    sources = "".join(path.read_text("utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    assert sorted(re.findall(r"^def test_invariant_(\d\d)_", sources, re.MULTILINE)) == [
        f"{n:02d}" for n in range(1, 21)
    ]
