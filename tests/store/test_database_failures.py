"""An error of SQLite becomes an error with a stable code. Nothing is written, and reading still works if possible."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from ledger.domain.findings import Finding
from ledger.errors import Busy, Incoherent, Misconfigured, StorageFull
from ledger.store.database import Database, open_engine, require_contents

ROWS = 400


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The path of a database of a few hundred pages that no process has open."""
    file = tmp_path / "ledger.db"
    database = Database(open_engine(f"sqlite:///{file}"))
    with database.write() as session:
        session.execute(text("CREATE TABLE alembic_version (version_num TEXT)"))
        session.execute(text("INSERT INTO alembic_version VALUES ('0001')"))
        session.execute(text("CREATE TABLE note (id INTEGER PRIMARY KEY, body TEXT)"))
        for number in range(ROWS):
            session.execute(text("INSERT INTO note VALUES (:number, :body)"), {"number": number, "body": "x" * 900})
    database.engine.dispose()
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return file


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    opened = Database(open_engine(f"sqlite:///{path}", wait_ms=1))
    yield opened
    opened.engine.dispose()


def note(database: Database, number: int = ROWS, body: str = "new") -> None:
    with database.write() as session:
        session.execute(text("INSERT INTO note VALUES (:number, :body)"), {"number": number, "body": body})


def count(database: Database) -> int:
    with database.read() as session:
        return int(session.execute(text("SELECT count(*) FROM note WHERE body IS NOT NULL")).scalar_one())


def test_a_writer_that_waits_too_long_for_a_lock_gets_an_error_that_says_when_to_retry(
    path: Path, database: Database
) -> None:
    other = Database(open_engine(f"sqlite:///{path}"))
    with other.write() as session:
        session.execute(text("UPDATE note SET body = 'theirs' WHERE id = 0"))
        with pytest.raises(Busy) as refused:
            note(database)
        assert (refused.value.code, refused.value.details) == ("DATABASE_BUSY", {"retry_after": 1})
        assert count(database) == ROWS
    note(database)
    assert count(database) == ROWS + 1
    other.engine.dispose()


def test_nothing_is_written_to_a_full_disk_but_reading_still_works(database: Database) -> None:
    with database.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    with database.write() as session:
        # A page limit gives the same SQLite error as a full disk.
        session.execute(text(f"PRAGMA max_page_count = {pages}"))
        with pytest.raises(StorageFull) as refused:
            for number in range(ROWS, 2 * ROWS):
                session.execute(text("INSERT INTO note VALUES (:n, :body)"), {"n": number, "body": "y" * 3_000})
        assert refused.value.code == "DISK_FULL"
        session.rollback()
    assert count(database) == ROWS


def test_a_read_only_database_can_be_read(path: Path) -> None:
    database = Database(open_engine(f"sqlite:///file:{path}?mode=ro&uri=true"))
    assert count(database) == ROWS
    with pytest.raises(Misconfigured) as refused:
        note(database)
    assert refused.value.code == "DATABASE_READ_ONLY"
    assert count(database) == ROWS
    database.engine.dispose()


def flip(path: Path, start: int) -> None:
    raw = bytearray(path.read_bytes())
    raw[start : start + 4_096] = bytes(each ^ 0xFF for each in raw[start : start + 4_096])
    path.write_bytes(raw)


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: flip(path, 0),
        lambda path: flip(path, 4_096 * 2),
        lambda path: path.write_bytes(path.read_bytes()[: 4_096 * 3]),
        lambda path: path.write_text("这不是数据库 " * 300, "utf-8"),
    ],
    ids=["the first page", "a page of the table", "cut off", "a text"],
)
def test_damaged_pages_raise_an_error(path: Path, damage: object) -> None:
    assert callable(damage)
    damage(path)
    database = Database(open_engine(f"sqlite:///{path}"))
    with pytest.raises(Misconfigured) as refused:
        count(database)
    assert (refused.value.code, refused.value.where) == ("DATABASE_DAMAGED", str(path))
    database.engine.dispose()


def test_a_missing_database_cannot_be_opened(tmp_path: Path) -> None:
    database = Database(open_engine(f"sqlite:///{tmp_path / 'nowhere' / 'ledger.db'}"))
    with pytest.raises(Misconfigured, match="DATABASE_UNREACHABLE"):
        count(database)
    assert list(tmp_path.iterdir()) == []


def test_opening_an_emptied_database_creates_no_tables(path: Path) -> None:
    engine: Engine = open_engine(f"sqlite:///{path}")
    require_contents(engine)
    engine.dispose()
    path.write_bytes(b"")
    with pytest.raises(Misconfigured, match="DATABASE_EMPTY"):
        require_contents(engine)
    with closing(sqlite3.connect(path)) as connection:
        assert not connection.execute("SELECT name FROM sqlite_master").fetchall()


def test_only_repairs_may_write_to_the_database_while_a_fault_is_recorded(database: Database) -> None:
    finding = Finding(
        "CHAIN_BEHIND_DATABASE", "The chain lacks a batch.", "batch 3", "Restore the chain.", {"batch": 3}
    )
    database.refuse(finding)
    with pytest.raises(Incoherent) as refused:
        note(database)
    assert (refused.value.code, refused.value.where, refused.value.details) == (
        "CHAIN_BEHIND_DATABASE",
        "batch 3",
        {"batch": 3},
    )
    assert (database.standing, count(database)) == (finding, ROWS)
    with database.write(mending=True) as session:
        session.execute(text("DELETE FROM note WHERE id = 0"))
    database.allow()
    note(database)
    assert (database.standing, count(database)) == (None, ROWS)
