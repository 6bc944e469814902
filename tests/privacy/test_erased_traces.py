"""No file and no stored answer contains an erased text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import select

from ledger.domain.parties import PartyKind, Role
from ledger.installation.wiring import Ledger
from ledger.log.idempotency import Answer
from ledger.log.tables import IdempotentRequest
from ledger.parties.tables import Party
from ledger.store.tables import Sealed
from tests.support.actors.erasing import REQUEST, erase, records_of, subject
from tests.support.actors.persons import PersonActors
from tests.support.actors.pilots import Pilot
from tests.support.machine.file_contents import contents


def test_no_file_contains_an_erased_text(persons: PersonActors) -> None:
    ledger, person, other = persons.ledger, persons.person(), persons.person()
    number, neighbour = persons.certificate(person), persons.certificate(other)
    with ledger.database.read() as session:
        row, other_row = session.get_one(Party, person), session.get_one(Party, other)
    identity, lookup = ledger.parties.register.identity(person), row.lookup
    gone = sealed(persons, *records_of(persons, number), row)
    kept = sealed(persons, *records_of(persons, neighbour), other_row)
    assert len(gone) == 8 and all(map(found(ledger), [*gone, lookup.encode()]))
    assert ledger.erasure.scrub(ledger.erasure.party(subject(person), person, REQUEST))
    present = found(ledger)
    assert not [text for text in (*gone, lookup.encode(), identity["name"].encode()) if present(text)]
    assert all(map(present, kept))


def sealed(persons: PersonActors, *records: Any) -> list[bytes]:
    """Return the wrapped keys and ciphertexts of these records."""
    with persons.ledger.database.read() as session:
        query = select(Sealed).where(Sealed.id.in_([record.sealed_id for record in records]))
        return [bytes(part or b"") for row in session.scalars(query) for part in (row.wrapped_key, row.ciphertext)]


def found(ledger: Ledger) -> Callable[[bytes], bool]:
    """Return a function that says whether any file in the ledger's folder contains a text."""
    files = contents(ledger.settings.home).values()
    return lambda text: any(text in file for file in files)


def test_an_erasure_deletes_the_digests_of_requests_with_the_erased_text(persons: PersonActors, pilot: Pilot) -> None:
    """The erasure also covers requests that the provider sent, and requests of a broker whose mandate from the bank has
    ended.
    """
    ledger, person, other = persons.ledger, persons.person(), persons.person()
    number, neighbour = persons.certificate(person), persons.certificate(other)
    broker = pilot.party(PartyKind.BROKER, Role.BROKER)
    ledger.parties.mandates.give(ledger.actor(persons.bank), persons.bank, broker, ledger.clock())

    def sent(by: str, key: str, answer: str, *, answered: bool = True) -> None:
        before = remembered(persons, by)
        ledger.idempotency.once(by, key, b"rows", lambda: Answer(201, {"id": answer}))
        if not answered:
            (new,) = remembered(persons, by) - before
            with ledger.database.write() as session:
                session.get_one(IdempotentRequest, (by, new)).status = None

    request, _, provision, _ = records_of(persons, number)
    other_request, _, other_provision, _ = records_of(persons, neighbour)
    left = {}
    for by, gone, kept in ((provision.provider, provision, other_provision), (broker, request, other_request)):
        sent(by, "of the other", kept.id)
        left[by] = remembered(persons, by)
        sent(by, "of the one", gone.id)
        sent(by, "broke off", kept.id, answered=False)
    erase(persons, person, number)
    assert {by: remembered(persons, by) for by in left} == left


def remembered(persons: PersonActors, party: str) -> set[str]:
    with persons.ledger.database.read() as session:
        return set(session.scalars(select(IdempotentRequest.key).where(IdempotentRequest.party_id == party)))


def test_an_idempotency_key_is_stored_only_as_a_digest(persons: PersonActors) -> None:
    """The digest is enough to recognise a repeated idempotency key. The key itself is not stored, because it may
    contain a name.
    """
    ledger, person = persons.ledger, persons.person()
    key, works = f"loan-{ledger.parties.register.identity(person)['identifier']}", iter(range(9))
    for _ in range(2):
        assert ledger.idempotency.once(persons.bank, key, b"body", lambda: Answer(201, {"n": next(works)})).body == {
            "n": 0
        }
    assert not found(ledger)(key.encode())
