"""A busy database, a full disk and parts that differ, on the wire: 503 or 507, when to come again, and never 500."""

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
    (Misconfigured("DATABASE_READ_ONLY", "Read only."), 503, None),
]


def asked(work: Callable[[], object]) -> tuple[int, str, str | None]:
    """Status, code and ``Retry-After`` of a call that does the work."""
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
def test_each_family_has_its_status(error: PingzhengError, status: int, retry: str | None) -> None:
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


def test_a_database_that_another_program_writes_to(engine: Engine, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert asked(writing(engine, "INSERT INTO record VALUES (2, x'00')")) == (503, "DATABASE_BUSY", "1")
    other.close()


def test_a_record_that_another_call_has_just_made(engine: Engine) -> None:
    assert asked(writing(engine, "INSERT INTO record VALUES (1, x'00')")) == (503, "DATABASE_BUSY", "1")


def test_a_database_without_room(engine: Engine) -> None:
    with engine.connect() as connection:
        connection.execute(text("PRAGMA max_page_count=3"))
    filling = "INSERT INTO record VALUES (2, zeroblob(1000000))"
    assert asked(writing(engine, filling)) == (507, "DISK_FULL", None)


def test_all_connections_in_use(engine: Engine) -> None:
    with engine.connect():
        assert asked(writing(engine, "SELECT 1")) == (503, "DATABASE_BUSY", "1")


def test_a_file_that_is_no_database(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "b.db").write_bytes(b"not a database" * 1000)
    broken = create_engine(f"sqlite:///{tmp_path}/b.db")
    assert asked(writing(broken, "SELECT * FROM record"))[:2] == (503, "DATABASE_UNREACHABLE")
    gone = create_engine(f"sqlite:///{tmp_path}/no/such/folder/a.db")
    assert asked(writing(gone, "SELECT 1"))[:2] == (503, "DATABASE_UNREACHABLE")


def test_a_full_disk_under_a_file_of_ours() -> None:
    def work() -> None:
        with Path("/dev/full").open("wb", buffering=0) as file:
            file.write(b"x")

    assert asked(work) == (507, "DISK_FULL", None)


def test_a_fault_in_the_program_stays_one(engine: Engine) -> None:
    assert asked(lambda: open("/no/such/file").close())[:2] == (500, "INTERNAL")  # noqa: PTH123


# Idempotency keys


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
    """Another program that writes to the database, until it is told to stop."""

    def __init__(self, database: Database) -> None:
        self._connection = sqlite3.connect(str(database.engine.url.database), isolation_level=None)

    def __enter__(self) -> Locked:
        self._connection.execute("BEGIN IMMEDIATE")
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.execute("ROLLBACK")
        self._connection.close()


def test_work_that_was_done_is_answered_though_the_database_took_no_note_of_it(database: Database) -> None:
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


def test_what_the_work_failed_by_is_told_though_the_key_could_not_be_let_go(database: Database) -> None:
    keys, locked = Idempotency(database, b"k" * 32, lambda: 1000), Locked(database)

    def work() -> Answer:
        locked.__enter__()
        raise InvalidInput("FIELD_UNKNOWN", "No such field.")

    with pytest.raises(InvalidInput, match="No such field"):
        keys.once("p", "key", b"request", work)
    locked.__exit__()


def test_fifty_of_the_same_request_at_once_are_worked_on_once(database: Database) -> None:
    """As many as come at the same time: one does the work, others are result that it runs, later ones get its answer."""
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
