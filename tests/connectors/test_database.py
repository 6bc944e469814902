"""A database as a source: queries use bound parameters, only read, and have a deadline. Errors and logs
show no values.
"""

from __future__ import annotations

import logging
import signal
import sqlite3
import subprocess
import sys
import textwrap
import traceback
from dataclasses import replace
from datetime import date
from pathlib import Path
from time import monotonic

import pytest

from ledger.connectors.answers import NoData, Refused, Supplied, TimedOut
from ledger.connectors.connector import SourceConnector, connector_of
from ledger.connectors.database import SqlTable
from ledger.connectors.deadline import Deadline, TimeIsUp
from ledger.connectors.source import DatabasePlace
from ledger.connectors.table import Wanted
from ledger.errors import Misconfigured
from tests.connectors.places import AT, BILLS, DEFINITION, GRID, OTHER, SELECT, Place, left_behind, query

ENDLESS = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
SELECT :identifier AS uscc, i AS period, i AS kwh FROM n WHERE i < 0
"""
FLOOD = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
SELECT :identifier AS uscc, i AS period, i AS kwh FROM n
"""
PASSWORD = "long-and-secret"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path, "sql")
    place.holding(BILLS)
    return place


def asking(
    place: Place, sql: str = SELECT, *, url: str | None = "sqlite:///bills.db", seconds: float = 20, **environ: str
) -> SourceConnector:
    """Return a connector to the database at the given URL, or at the URL in the environment variable GRID_URL."""
    database = DatabasePlace(url, None if url else "GRID_URL", sql)
    return connector_of(replace(DEFINITION, place=database, folder=place.folder, timeout_seconds=seconds), environ)


def problem(source: SourceConnector, identifier: str = GRID) -> Misconfigured:
    """Return the error of a query, and check that its traceback contains no identifier, value or password."""
    with pytest.raises(Misconfigured) as caught:
        source.ask(query(identifier))
    error = caught.value
    printed = "".join(traceback.format_exception(error)) + repr(error) + str(error.details)
    for secret in (identifier, PASSWORD, "under correction"):
        assert secret not in printed
    # The error must have no cause: the driver's error may contain values, and logging tools print causes too.
    assert error.__cause__ is None
    assert error.__context__ is None
    assert error.hint
    return error


def count(place: Place) -> int:
    database = sqlite3.connect(place.path)
    (rows,) = database.execute("SELECT count(*) FROM bills").fetchone()
    database.close()
    return int(rows)


def test_the_url_is_read_from_its_variable_at_each_query(place: Place) -> None:
    environ: dict[str, str] = {}
    definition = replace(DEFINITION, place=DatabasePlace(None, "GRID_URL", SELECT), folder=place.folder)
    source = connector_of(definition, environ)
    error = problem(source)
    assert (error.code, error.where) == ("SOURCE_URL_UNSET", "grid")
    assert "GRID_URL" in error.message
    environ["GRID_URL"] = f"sqlite:///{place.path}"
    assert isinstance(source.ask(query()), Supplied)
    environ["GRID_URL"] = "sqlite:///other.db"
    assert problem(source).code == "SOURCE_FILE_MISSING"


@pytest.mark.parametrize(
    ("url", "code"),
    [
        (f"postgresql:grid:{PASSWORD}@host", "SOURCE_URL_INVALID"),
        (f"postgresql://grid:{PASSWORD}@host:port/bills", "SOURCE_URL_INVALID"),
        (f"nosuch://grid:{PASSWORD}@host/bills", "SOURCE_DRIVER_MISSING"),
        (f"postgresql+nosuch://grid:{PASSWORD}@host/bills", "SOURCE_DRIVER_MISSING"),
        (f"oracle+oracledb://grid:{PASSWORD}@host/bills", "SOURCE_DRIVER_MISSING"),
        ("sqlite://", "SOURCE_FILE_MISSING"),
        ("sqlite:///:memory:", "SOURCE_FILE_MISSING"),
        ("sqlite:///.", "SOURCE_FILE_MISSING"),
    ],
)
def test_an_error_never_repeats_the_url_of_the_database(place: Place, url: str, code: str) -> None:
    assert problem(asking(place, url=None, GRID_URL=url)).code == code


def test_a_missing_database_is_not_created(place: Place) -> None:
    assert problem(asking(place, url="sqlite:///bill.db")).code == "SOURCE_FILE_MISSING"
    assert not (place.folder / "bill.db").exists()


REJECTED = {
    "table": "SELECT * FROM bils WHERE uscc = :identifier",
    "column": "SELECT uscc, period, kw FROM bills WHERE uscc = :identifier",
    "syntax": "SELECT FROM bills WHERE uscc = :identifier",
    "two statements": f"{SELECT}; DELETE FROM bills",
    "delete": "WITH all_rows AS (SELECT 1) DELETE FROM bills WHERE uscc = :identifier RETURNING *",
    "update": "WITH one AS (SELECT 1) UPDATE bills SET kwh = 0 WHERE uscc = :identifier RETURNING *",
    "insert": "WITH one AS (SELECT 1) INSERT INTO bills SELECT * FROM bills WHERE uscc = :identifier",
}


@pytest.mark.parametrize("sql", REJECTED.values(), ids=REJECTED.keys())
def test_a_rejected_query_changes_nothing(place: Place, sql: str) -> None:
    error = problem(asking(place, sql))
    assert (error.code, error.where) == ("SOURCE_QUERY_REJECTED", "grid")
    assert count(place) == 5
    assert isinstance(asking(place).ask(query()), Supplied)


@pytest.mark.parametrize(
    ("columns", "name"),
    [
        ("uscc, period", "kwh"),
        ("uscc, period, kwh, kwh", "kwh"),
        ("period, kwh", "uscc"),
        ("uscc, period, kwh KWH", "kwh"),
    ],
)
def test_an_error_names_a_column_that_the_query_does_not_return_exactly_once(
    place: Place, columns: str, name: str
) -> None:
    error = problem(asking(place, f"SELECT {columns} FROM bills WHERE uscc = :identifier"))
    assert error.code == "SOURCE_COLUMN_MISSING"
    assert name in error.message


@pytest.mark.parametrize(
    "where",
    ["uscc = :identifier OR 1 = 1", "uscc <> :identifier", "uscc >= :identifier"],
)
def test_a_row_of_another_subject_is_never_supplied(place: Place, where: str) -> None:
    error = problem(asking(place, f"SELECT * FROM bills WHERE {where}"))
    assert (error.code, error.where) == ("SOURCE_OTHER_SUBJECT", "grid")
    assert OTHER not in str(error)


def test_a_file_that_is_not_a_database_is_an_error(place: Place) -> None:
    place.path.write_bytes(b"uscc,period\n" * 1_000)
    assert problem(asking(place)).code == "SOURCE_QUERY_REJECTED"


def test_a_damaged_database_is_unavailable(place: Place) -> None:
    data = bytearray(place.path.read_bytes())
    data[100:] = b"\xff" * (len(data) - 100)
    place.path.write_bytes(data)
    answer = asking(place).ask(query())
    assert isinstance(answer, Refused)
    assert (answer.reason, answer.where) == ("source_unavailable", "DatabaseError")


def test_a_database_text_that_is_not_utf8_is_refused_as_unusable(place: Place) -> None:
    source = asking(place, "SELECT uscc, period, CAST(x'ff41' AS TEXT) AS kwh FROM bills WHERE uscc = :identifier")
    answer = source.ask(query())
    assert isinstance(answer, Refused)
    assert answer.reason == "data_unusable"


VALUES = {
    "integer": ("9223372036854775807", "9223372036854775807"),
    "float": ("0.1 + 0.2", "0.30000000000000004"),
    "large float": ("1e22", "10000000000000000000000"),
    "null": ("NULL", ""),
    "text": ("'一'", "一"),
    "infinite": ("9e999", None),
    "bytes": ("x'00'", None),
}


@pytest.mark.parametrize(("sql", "text"), VALUES.values(), ids=VALUES.keys())
def test_sqlite_values_become_text(place: Place, sql: str, text: str | None) -> None:
    source = asking(
        place, f"SELECT uscc, period, {sql} AS kwh FROM bills WHERE uscc = :identifier AND period = '202601'"
    )
    answer = source.ask(query(columns=("kwh",)))
    if text is None:
        assert answer == Refused("data_unusable", AT, "grid, row 1 of the result, column kwh")
    else:
        assert answer == Supplied(({"kwh": text},), date(2026, 3, 31), AT)


def test_an_endless_query_is_stopped_and_leaves_no_thread(place: Place) -> None:
    begun = monotonic()
    assert asking(place, ENDLESS, seconds=0.3).ask(query()) == TimedOut(AT)
    assert 0.3 <= monotonic() - begun < 5
    assert left_behind() == []


def test_an_endless_stream_of_rows_is_refused_at_the_limit(place: Place) -> None:
    answer = asking(place, FLOOD).ask(query())
    assert answer == Refused("data_unusable", AT, "more than 10000 rows")
    assert left_behind() == []


def test_a_sqlite_query_stops_at_the_deadline(place: Place) -> None:
    table = SqlTable("grid", DatabasePlace("sqlite:///bills.db", None, ENDLESS), "identifier", place.folder, {})
    wanted = Wanted("uscc", GRID, ("period",))
    with pytest.raises(TimeIsUp):
        list(table.rows(wanted, Deadline(0.05)))


def test_a_locked_database_times_out_and_is_read_when_unlocked(place: Place) -> None:
    lock = sqlite3.connect(place.path, isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    source = asking(place, seconds=0.3)
    begun = monotonic()
    assert source.ask(query()) == TimedOut(AT)
    assert left_behind() == []
    # The deadline ends the wait for the lock. By default, SQLite's driver would wait for five seconds.
    assert monotonic() - begun < 4
    lock.execute("ROLLBACK")
    lock.close()
    assert isinstance(asking(place).ask(query()), Supplied)


def test_a_query_sees_one_state_while_another_connection_writes(place: Place) -> None:
    writer = sqlite3.connect(place.path, isolation_level=None)
    writer.execute("PRAGMA journal_mode=WAL")
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("DELETE FROM bills WHERE uscc = ?", (GRID,))
    source = asking(place)
    assert isinstance(source.ask(query()), Supplied)
    writer.execute("COMMIT")
    writer.close()
    assert source.ask(query()) == NoData(AT)


def test_logs_contain_no_identifier_and_no_value_and_no_password(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("sqlalchemy", "sqlalchemy.engine", "sqlalchemy.pool", "sqlalchemy.engine.Engine"):
        caplog.set_level(logging.DEBUG, logger=name)
    assert isinstance(asking(place).ask(query(OTHER)), Supplied)
    problem(asking(place, REJECTED["table"]))
    problem(asking(place, url=None, GRID_URL=f"nosuch://grid:{PASSWORD}@host/bills"))
    for secret in (GRID, OTHER, PASSWORD, "202602", "under correction"):
        assert secret not in caplog.text


def test_ctrl_c_ends_the_query_and_the_process(place: Place) -> None:
    script = f"""
        import signal
        from dataclasses import replace
        from pathlib import Path
        from tests.connectors.places import DEFINITION, left_behind, query
        from ledger.connectors.connector import connector_of
        from ledger.connectors.source import DatabasePlace

        # A shell that starts tests in the background makes them ignore SIGINT.
        signal.signal(signal.SIGINT, signal.default_int_handler)

        class Environ(dict):
            def get(self, name):
                # The worker reads the variable; the main thread waits for the worker.
                print("asking", flush=True)
                return "sqlite:///bills.db"

        place = DatabasePlace(None, "GRID_URL", {ENDLESS!r})
        definition = replace(DEFINITION, place=place, folder=Path({str(place.folder)!r}), timeout_seconds=60)
        source = connector_of(definition, Environ())
        try:
            source.ask(query())
        except KeyboardInterrupt:
            print("left behind:", *left_behind(), flush=True)
            raise
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "asking\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGINT
    assert out == "left behind:\n"
    assert GRID not in err
