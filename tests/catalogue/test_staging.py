"""Imports while other programs write. An import is planned without the write lock, is written with few SQL statements,
and never overwrites a newer change.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import event

from ledger.catalogue import imports as catalogue_import
from ledger.catalogue.imports import Sheets
from ledger.errors import Busy
from ledger.store.database import Database, open_engine
from tests.catalogue.import_tables import row, stored
from tests.support.actors.department import Department, refusal, resource

# --- SQL statements while the write lock is held


@pytest.fixture
def statements(office: Department) -> Iterator[list[str]]:
    """Collect the SQL statements that are executed while the write lock is held."""
    sent: list[str] = []
    engine = office.ledger.database.engine
    writing: list[bool] = []

    def before(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.startswith("BEGIN"):
            writing[:] = [True] * (statement == "BEGIN IMMEDIATE")
        elif writing:
            sent.append(statement)

    event.listen(engine, "before_cursor_execute", before)
    yield sent
    event.remove(engine, "before_cursor_execute", before)


@pytest.mark.parametrize("rows", [1_000, 3_000])
def test_importing_a_thousand_rows_sends_a_fixed_number_of_sql_statements_while_holding_the_lock(
    office: Department, statements: list[str], rows: int
) -> None:
    table = Sheets([row(f"many{rows}/{place}") for place in range(rows)])
    report = office.ledger.catalogue.imports.commit(office.provider, table)
    assert report.counts["new"] == rows
    thousands = rows // 1_000
    # Every 500 rows need four statements: one query for the current entries, and one insert each for entries, versions
    # and events.
    assert len(statements) == 2 * 4 * thousands
    statements.clear()
    changed = Sheets([row(f"many{rows}/{place}", title="新") for place in range(rows)])
    assert office.ledger.catalogue.imports.commit(office.provider, changed).counts["new_version"] == rows
    # Rows that exist already need a fifth statement, which reads the numbers of their earlier events.
    assert len(statements) == 2 * 5 * thousands
    statements.clear()
    assert office.ledger.catalogue.imports.commit(office.provider, changed).counts["unchanged"] == rows
    assert len(statements) == 2 * thousands


def test_planning_an_import_needs_few_database_queries(office: Department) -> None:
    sent: list[str] = []
    engine = office.ledger.database.engine

    def before(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        sent.append(statement)

    table = Sheets([row(f"plan/{place}", system="none such") for place in range(2_000)])
    event.listen(engine, "before_cursor_execute", before)
    office.ledger.catalogue.imports.dry_run(office.provider, table)
    event.remove(engine, "before_cursor_execute", before)
    # One statement begins the transaction. Every 500 rows need two queries: one for their codes, one for their systems.
    assert len(sent) == 4 * 2 + 1


def other_writer(office: Department) -> sqlite3.Connection:
    connection = sqlite3.connect(str(office.ledger.database.engine.url.database), timeout=0, isolation_level=None)
    connection.execute("PRAGMA busy_timeout=0")
    return connection


def test_other_writers_can_write_while_the_import_of_a_table_is_planned(office: Department) -> None:
    other, written = other_writer(office), list[int]()

    def write(rows: int) -> None:
        other.execute("BEGIN IMMEDIATE")
        other.execute("ROLLBACK")
        written.append(rows)

    table = Sheets([row(f"beside/{place}") for place in range(20)])
    assert office.ledger.catalogue.imports.commit(office.provider, table, write).counts["new"] == 20
    other.close()
    assert len(written) == 20


def test_an_import_is_planned_again_if_another_writer_changed_an_entry_meanwhile(office: Department) -> None:
    office.put("cas/1", title="旧")
    table = Sheets([row("cas/0"), row("cas/1", title="新"), row("cas/2")])
    changes = iter(["cas/1", "cas/2"])

    def change(_rows: int) -> None:
        if code := next(changes, None):
            office.put(code, title="别人")

    report = office.ledger.catalogue.imports.commit(office.provider, table, change)
    assert [(line.code, line.verdict, line.version) for line in report.rows] == [
        ("cas/0", "new", 1),
        ("cas/1", "new_version", 3),
        ("cas/2", "new_version", 2),
    ]
    assert office.ledger.catalogue.data.document("cas/1", 2)["title"] == "别人"
    assert [event["number"] for event in office.ledger.catalogue.data.history("cas/1")] == [1, 2, 3]
    assert [event["state"] for event in office.ledger.catalogue.data.history("cas/1")] == ["draft"] * 3


def test_an_import_is_refused_if_another_provider_took_a_code_meanwhile(office: Department) -> None:
    before = stored(office)
    take = iter([lambda: office.ledger.catalogue.data.put(office.stranger, resource("taken/1"))])
    table = Sheets([row("taken/0"), row("taken/1")])
    error = refusal(
        lambda: office.ledger.catalogue.imports.commit(
            office.provider, table, lambda _: (next(take, lambda: None)(), None)[1]
        )
    )
    assert [line["error"] for line in error.details["refused"]] == ["NOT_THE_PROVIDER"]
    assert [after - then for after, then in zip(stored(office), before, strict=True)] == [1, 1, 1], "the stranger's own"


def test_an_import_fails_as_busy_if_other_writers_repeatedly_change_the_entries_to_import(
    office: Department, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.put("busy/1", title="0")
    plans: list[int] = []
    plan = catalogue_import.CatalogueImport._planned

    def overtaken(self: Any, *arguments: Any) -> Any:
        planned = plan(self, *arguments)
        plans.append(1)
        office.put("busy/1", title=f"别人 {len(plans)}")
        return planned

    monkeypatch.setattr(catalogue_import.CatalogueImport, "_planned", overtaken)
    before = stored(office)
    with pytest.raises(Busy) as caught:
        office.ledger.catalogue.imports.commit(office.provider, Sheets([row("busy/0"), row("busy/1")]))
    assert (caught.value.code, caught.value.details) == ("CATALOGUE_BUSY", {"retry_after": 1})
    assert len(plans) == catalogue_import.MAX_PLANS
    assert [after - then for after, then in zip(stored(office), before, strict=True)] == [0, 3, 3], "others' alone"


def test_an_import_that_cannot_get_the_lock_fails_as_busy(office: Department) -> None:
    other, before = other_writer(office), stored(office)
    table = Sheets([row("locked/0")])
    busy = Database(open_engine(str(office.ledger.database.engine.url), 10))
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Busy) as caught:
        catalogue_import.CatalogueImport(busy, lambda: 0).commit(office.provider, table)
    other.execute("ROLLBACK")
    other.close()
    assert caught.value.details["retry_after"] >= 1
    assert stored(office) == before
