"""If a log entry was changed in the database, nobody can read the entry, and no bundle is made from it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from typer.testing import CliRunner

from ledger.cli.main import app
from ledger.domain.parties import Role
from ledger.errors import Incoherent
from ledger.installation.wiring import Ledger
from ledger.parties.roles import Actor
from ledger.proof.merkle import root
from ledger.store import log as log_store
from ledger.store.tables import Entry
from tests.support.actors.pilots import Pilot


@pytest.fixture
def number(pilot: Pilot) -> str:
    found = pilot.certificate(pilot.firm())
    pilot.ledger.anchoring.flush()
    return found


def asked(ledger: Ledger, *arguments: str) -> tuple[int, Any]:
    done = CliRunner().invoke(app, [*arguments, "--home", str(ledger.settings.home), "--json"])
    return done.exit_code, json.loads(done.stdout)


class Changed:
    """Changes the database directly, and undoes the changes at the end."""

    def __init__(self, ledger: Ledger) -> None:
        self._path = ledger.settings.home / "ledger.db"
        self._undo: list[tuple[str, tuple[object, ...]]] = []

    def run(self, statement: str, *values: object) -> None:
        with closing(sqlite3.connect(self._path, timeout=30)) as database:
            database.execute(statement, values)
            database.commit()

    def set(self, table: str, column: str, value: object, where: str, key: object) -> None:
        with closing(sqlite3.connect(self._path)) as database:
            (old,) = database.execute(f"SELECT {column} FROM {table} WHERE {where} = ?", (key,)).fetchone()
        self._undo.append((f"UPDATE {table} SET {column} = ? WHERE {where} = ?", (old, key)))
        self.run(f"UPDATE {table} SET {column} = ? WHERE {where} = ?", value, key)

    def undo(self) -> None:
        for statement, values in reversed(self._undo):
            self.run(statement, *values)


@pytest.fixture
def changed(pilot: Pilot) -> Iterator[Changed]:
    made = Changed(pilot.ledger)
    yield made
    made.undo()


def row_of(pilot: Pilot, number: str) -> tuple[int, bytes, str]:
    with pilot.ledger.database.read() as session:
        digest = pilot.ledger.usage.holdings.get(number).digest
        entry = log_store.entries_by_digest(session, [digest])[digest]
        return entry.seq, entry.body, entry.leaf


def test_a_changed_entry_is_not_exported_and_every_check_reports_it(
    pilot: Pilot, number: str, changed: Changed
) -> None:
    ledger = pilot.ledger
    ledger.certificates.bundles.build(number)
    seq, body, _ = row_of(pilot, number)
    changed.set("entry", "body", body.replace(b'"S51"', b'"S52"'), "seq", seq)
    reader = Actor(ledger.installation.operator, frozenset({Role.ISSUER}))
    reads = (
        lambda: ledger.certificates.bundles.build(number),
        lambda: ledger.inspection.proof(ledger.actor(ledger.party), seq),
        lambda: ledger.log_entries.get(reader, seq),
        lambda: ledger.log_entries.page(reader, seq - 1, 1),
    )
    for read in reads:
        with pytest.raises(Incoherent) as refused:
            read()
        assert (refused.value.code, refused.value.where, refused.value.details) == (
            "ENTRY_DAMAGED",
            f"entry {seq}",
            {"seq": seq},
        )
    assert [(finding.code, finding.where) for finding in ledger.inspection.entries()] == [
        ("ENTRY_DAMAGED", f"entry {seq}")
    ]
    code, answer = asked(ledger, "index", "check")
    assert (code, [finding["where"] for finding in answer["findings"]]) == (1, [f"entry {seq}"])
    for command in (("status",), ("log", "head")):
        code, answer = asked(ledger, *command)
        assert (code, answer["entries"]) == (1, {"ok": False, "code": "ENTRY_DAMAGED", "where": [f"entry {seq}"]})
    assert asked(ledger, "certificate", "bundle", number, "--out", "never.json")[0] == 2
    assert not Path("never.json").exists()
    changed.undo()
    assert ledger.inspection.entries() == []
    assert asked(ledger, "index", "check")[0] == 0


def test_an_entry_changed_together_with_its_leaf_no_longer_matches_the_root(
    pilot: Pilot, number: str, changed: Changed
) -> None:
    """If the batch's stored root is changed too, it differs from the root in the chain's commitment."""
    ledger = pilot.ledger
    seq, body, _ = row_of(pilot, number)
    new = log_store.NewEntry.stored(body.replace(b'"transferable":"no"', b'"transferable":"on"'))
    assert new.body != body
    changed.set("entry", "body", new.body, "seq", seq)
    changed.set("entry", "leaf", new.leaf.hex(), "seq", seq)
    with ledger.database.read() as session:
        batch = session.get_one(Entry, seq).batch
        leaves = log_store.leaves(session, log_store.batch(session, batch or 0))
    found = {(finding.code, finding.where) for finding in ledger.inspection.entries()}
    assert found == {("ENTRY_DAMAGED", f"entry {seq}"), ("BATCH_DAMAGED", f"batch {batch}")}
    with pytest.raises(Incoherent, match="BATCH_DAMAGED"):
        ledger.certificates.bundles.build(number)
    changed.set("batch", "root", root(leaves).hex(), "number", batch)
    found = {(finding.code, finding.where) for finding in ledger.inspection.entries()}
    assert ("LOG_FORKED", f"batch {batch}") in found
    with pytest.raises(Incoherent, match="LOG_FORKED"):
        ledger.certificates.bundles.build(number)


def test_a_missing_entry_is_reported(pilot: Pilot, number: str, changed: Changed) -> None:
    ledger = pilot.ledger
    seq, *_ = row_of(pilot, number)
    for gone in (seq, seq - 1):
        with closing(sqlite3.connect(ledger.settings.home / "ledger.db")) as database:
            row = database.execute("SELECT * FROM entry WHERE seq = ?", (gone,)).fetchone()
        changed.run("DELETE FROM entry WHERE seq = ?", gone)
        found = {finding.code: finding.where for finding in ledger.inspection.entries()}
        changed.run(f"INSERT INTO entry VALUES ({', '.join('?' * len(row))})", *row)
        assert found.keys() == {"ENTRIES_MISSING", "BATCH_DAMAGED"}
        assert found["ENTRIES_MISSING"] == f"entry {gone}"
    assert ledger.inspection.entries() == []


def test_a_signed_certificate_whose_text_was_changed_is_not_exported(
    pilot: Pilot, number: str, changed: Changed
) -> None:
    ledger = pilot.ledger
    ledger.certificates.bundles.build(number)
    other = pilot.certificate(pilot.firm())
    token = ledger.certificates.bundles.build(other).certificate.split("~")[0]
    changed.set("certificate", "token", token, "certificate_no", number)
    with pytest.raises(Incoherent, match="ENTRY_DAMAGED"):
        ledger.certificates.bundles.build(number)
    changed.set("certificate", "token", "a.b", "certificate_no", number)
    with pytest.raises(Incoherent, match="ENTRY_DAMAGED"):
        ledger.certificates.bundles.build(number)


def test_checking_an_entry_needs_no_additional_database_query(pilot: Pilot, number: str) -> None:
    """The check uses the database row of the entry, which reading the entry loads anyway."""
    ledger = pilot.ledger
    statements: list[str] = []
    with ledger.database.read() as session:
        event.listen(ledger.database.engine, "before_cursor_execute", lambda *call: statements.append(call[2]))
        rows = log_store.entries_by_digest(session, [ledger.usage.holdings.get(number).digest])
        asked_here = [statement for statement in statements if "FROM entry" in statement]
        assert (len(rows), len(asked_here)) == (1, 1)
