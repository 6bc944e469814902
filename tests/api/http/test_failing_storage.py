"""Calls that fail because the database or the disk fails get 503 or 507 and a ``Retry-After`` header, never 500."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.pool import QueuePool

from api.http import problems
from api.http.storage_failures import known_failure
from ledger.errors import Busy, Conflict, Incoherent, InvalidInput, Misconfigured, PingzhengError, StorageFull
from ledger.log.idempotency import STALE_SECONDS, Answer, Idempotency
from ledger.log.tables import IdempotentRequest
from ledger.store.database import Database
from ledger.store.tables import Base

FAMILIES: list[tuple[PingzhengError, int, str | None]] = [
    (Busy("DATABASE_BUSY", "Busy.", retry_after=1), 503, "1"),
    (StorageFull("DISK_FULL", "Full."), 507, None),
    (Incoherent("LEDGER_DIFFERS", "Differs."), 503, None),
    (Misconfigured("DATABASE_READ_ONLY", "The database is read-only."), 503, None),
]


def asked(work: Callable[[], object]) -> tuple[int, str, str | None]:
    """Make a call whose route runs ``work``, and return status, code and ``Retry-After``."""
    app = FastAPI()
    problems.install(app)

    @app.get("/work")
    def called() -> None:
        work()

    with TestClient(app) as client:
        answer = client.get("/work")
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"], answer.headers.get("retry-after")


@pytest.mark.parametrize(("error", "status", "retry"), FAMILIES, ids=[row[0].code for row in FAMILIES])
def test_each_error_class_gives_the_expected_http_status(error: PingzhengError, status: int, retry: str | None) -> None:
    def work() -> None:
        raise error

    assert asked(work) == (status, error.code, retry)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = create_engine(
        f"sqlite:///{tmp_path}/a.db", poolclass=QueuePool, pool_size=1, max_overflow=0, pool_timeout=0.01
    )

    @event.listens_for(made, "connect")
    def at_once(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA busy_timeout=0")

    with made.begin() as connection:
        connection.execute(text("CREATE TABLE record (id INTEGER PRIMARY KEY, text BLOB)"))
        connection.execute(text("INSERT INTO record VALUES (1, x'00')"))
    yield made
    made.dispose()


def writing(engine: Engine, statement: str) -> Callable[[], None]:
    def work() -> None:
        with engine.begin() as connection:
            connection.execute(text(statement))

    return work


def test_a_call_gets_503_if_the_database_is_locked(engine: Engine, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert asked(writing(engine, "INSERT INTO record VALUES (2, x'00')")) == (503, "DATABASE_BUSY", "1")
    other.close()


def test_a_call_gets_503_if_another_call_created_the_same_record_first(engine: Engine) -> None:
    assert asked(writing(engine, "INSERT INTO record VALUES (1, x'00')")) == (503, "DATABASE_BUSY", "1")


def test_a_call_gets_507_if_the_disk_of_the_database_is_full(engine: Engine) -> None:
    with engine.connect() as connection:
        connection.execute(text("PRAGMA max_page_count=3"))
    filling = "INSERT INTO record VALUES (2, zeroblob(1000000))"
    assert asked(writing(engine, filling)) == (507, "DISK_FULL", None)


def test_a_call_gets_503_if_no_database_connection_is_free(engine: Engine) -> None:
    with engine.connect():
        assert asked(writing(engine, "SELECT 1")) == (503, "DATABASE_BUSY", "1")


def test_a_call_gets_503_if_the_database_file_is_not_a_database(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "b.db").write_bytes(b"not a database" * 1000)
    broken = create_engine(f"sqlite:///{tmp_path}/b.db")
    assert asked(writing(broken, "SELECT * FROM record"))[:2] == (503, "DATABASE_UNREACHABLE")
    gone = create_engine(f"sqlite:///{tmp_path}/no/such/folder/a.db")
    assert asked(writing(gone, "SELECT 1"))[:2] == (503, "DATABASE_UNREACHABLE")


def test_a_call_gets_507_if_the_disk_is_full_when_a_file_is_written_outside_the_database() -> None:
    def work() -> None:
        with Path("/dev/full").open("wb", buffering=0) as file:
            file.write(b"x")

    assert asked(work) == (507, "DISK_FULL", None)


def test_a_programming_error_is_not_reported_as_a_storage_failure(engine: Engine) -> None:
    assert asked(lambda: open("/no/such/file").close())[:2] == (500, "INTERNAL")  # noqa: PTH123


# Tests of calls with an idempotency key: the database stores the call's answer, or fails to store it


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    engine = create_engine(f"sqlite:///{tmp_path}/keys.db")

    @event.listens_for(engine, "connect")
    def briefly(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA busy_timeout=20")

    Base.metadata.create_all(engine, tables=[Base.metadata.tables[IdempotentRequest.__tablename__]])
    yield Database(engine)
    engine.dispose()


class Locked:
    """Simulates another program that holds the write lock of the database."""

    def __init__(self, database: Database) -> None:
        self._connection = sqlite3.connect(str(database.engine.url.database), isolation_level=None)

    def __enter__(self) -> Locked:
        self._connection.execute("BEGIN IMMEDIATE")
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.execute("ROLLBACK")
        self._connection.close()


def test_a_completed_call_gets_its_answer_even_if_the_answer_cannot_be_stored(database: Database) -> None:
    now = [1000]
    keys, locked, done = Idempotency(database, b"k" * 32, lambda: now[0]), Locked(database), []

    def work() -> Answer:
        done.append(1)
        locked.__enter__()
        return Answer(201, {"id": "a"})

    assert keys.once("p", "key", b"request", work) == Answer(201, {"id": "a"})
    locked.__exit__()
    with pytest.raises(Conflict, match="still running") as refused:
        keys.once("p", "key", b"request", work)
    assert refused.value.details["retry_after"] == 2
    now[0] += STALE_SECONDS
    assert keys.once("p", "key", b"request", lambda: Answer(200, {"id": "a"})) == Answer(200, {"id": "a"})
    assert len(done) == 1


def test_a_failed_call_gets_its_error_even_if_its_idempotency_key_cannot_be_released(database: Database) -> None:
    keys, locked = Idempotency(database, b"k" * 32, lambda: 1000), Locked(database)

    def work() -> Answer:
        locked.__enter__()
        raise InvalidInput("FIELD_UNKNOWN", "The scenario has no such field.")

    with pytest.raises(InvalidInput, match="no such field"):
        keys.once("p", "key", b"request", work)
    locked.__exit__()


def test_fifty_equal_simultaneous_calls_do_the_work_once(database: Database) -> None:
    """Of the simultaneous calls, one does the work, and the others get 409. Later calls get the stored answer."""
    keys, done, result = Idempotency(database, b"k" * 32, lambda: 1000), [], []
    begin = threading.Barrier(50)

    def work() -> Answer:
        done.append(1)
        return Answer(201, {"id": "a"})

    def call() -> None:
        begin.wait()
        while True:
            try:
                result.append(keys.once("p", "key", b"request", work))
            except Conflict as running:
                assert running.code == "REQUEST_RUNNING"
            except Exception as busy:
                assert known_failure(busy) is not None or isinstance(busy, Busy)
            else:
                return

    threads = [threading.Thread(target=call) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done == [1]
    assert result == [Answer(201, {"id": "a"})] * 50
    with database.read() as session:
        assert session.execute(text("SELECT count(*) FROM idempotent_request")).scalar() == 1
