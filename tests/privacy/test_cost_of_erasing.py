"""An erasure needs the same number of SQL statements for a ledger of any size, and reads no table as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select

from ledger.installation.wiring import Ledger
from ledger.parties.tables import Party
from ledger.store.scrubbing import scrub
from ledger.store.tables import Sealed
from tests.support.actors.erasing import REQUEST, erase, records_of, subject
from tests.support.actors.persons import PersonActors
from tests.support.machine.file_contents import contents

# The table of sign-in nonces is always small, because nonces expire after minutes. So it may be read as a whole.
READ_WHOLE = {"SCAN sign_in_nonce"}


@contextmanager
def statements(ledger: Ledger) -> Iterator[list[tuple[str, Any]]]:
    """Collect the statements that the database executes."""
    seen: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, _context: Any, _many: bool) -> None:
        seen.append((statement, values))

    event.listen(ledger.database.engine, "before_cursor_execute", note)
    yield seen
    event.remove(ledger.database.engine, "before_cursor_execute", note)


def scans(ledger: Ledger, seen: list[tuple[str, Any]]) -> set[str]:
    """Return those steps in the query plans of the statements ``seen`` that read a whole table.

    SQLite also reads a list of given values as a whole, as a subquery, a virtual table or a constant row. Such a list
    is not counted as a table.
    """
    found: set[str] = set()
    with ledger.database.engine.connect() as connection:
        for statement, values in seen:
            if statement.split()[0] in {"SELECT", "UPDATE", "DELETE"}:
                steps = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
                found |= {step for *_, step in steps if step.startswith("SCAN ")}
    return {step for step in found if not any(word in step for word in ("(", "VIRTUAL TABLE", "CONSTANT ROW"))}


def test_an_erasure_reads_no_whole_table(persons: PersonActors) -> None:
    ledger, person, other = persons.ledger, persons.person(), persons.person()
    number, _ = persons.certificate(person), persons.certificate(other)
    with statements(ledger) as seen:
        erase(persons, person, number)
        ledger.erasure.party(subject(person), person, REQUEST)
    assert len(seen) > 40 and scans(ledger, seen) <= READ_WHOLE


def test_an_erasure_executes_as_many_sql_statements_in_a_large_ledger_as_in_a_small_ledger(
    persons: PersonActors,
) -> None:
    ledger, first, second = persons.ledger, persons.person(), persons.person()
    number = persons.certificate(first)
    with statements(ledger) as few:
        erase(persons, first, number)
    for other in (second, *(persons.person() for _ in range(3))):
        persons.certificate(other)
    number = persons.certificate(second)
    with statements(ledger) as many:
        erase(persons, second, number)
    assert [text for text, _ in few] == [text for text, _ in many]
    assert not any("VACUUM" in text for text, _ in many)


def test_after_a_crash_a_repeated_erasure_removes_what_remains_of_the_erased_texts(
    persons: PersonActors, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The repeated erasure cannot search for the values that the first erasure deleted, because it does not know them.
    So it clears all unused space in the pages of the database file.
    """
    ledger, person = persons.ledger, persons.person()
    number = persons.certificate(person)
    with ledger.database.read() as session:
        lookup = session.get_one(Party, person).lookup.encode()
        texts = [record.sealed_id for record in records_of(persons, number)]
        kept = session.execute(select(Sealed.wrapped_key, Sealed.ciphertext).where(Sealed.id.in_(texts)))
        gone = [lookup, *(bytes(part) for row in kept for part in row)]
    first = ledger.erasure.party(subject(person), person, REQUEST)
    assert set(gone) <= set(first.remains)
    again = ledger.erasure.party(subject(person), person, REQUEST)
    assert (again.entry, again.remains) == (first.entry, ())
    asked = list[Any]()

    def seen(file: Path, remains: Any, timeout_ms: int, whole: Any) -> bool:
        asked.append(remains)
        return scrub(file, remains, timeout_ms, whole)

    monkeypatch.setattr("ledger.store.database.scrub", seen)
    assert ledger.erasure.scrub(again) and asked[0] == ()
    files = b"".join(contents(ledger.settings.home).values())
    assert not [text for text in gone if text in files]
