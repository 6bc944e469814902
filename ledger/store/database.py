"""The engine and its transactions. SQLite is the embedded default; the SQL is PostgreSQL's too."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import ArgumentError
from sqlalchemy.orm import Session

from ledger.errors import Misconfigured

BUSY_TIMEOUT_MS = 30_000
SCRUB_TIMEOUT_MS = 5_000


def open_engine(url: str) -> Engine:
    """Engine for ``url`` (``sqlite:///file`` or a PostgreSQL URL); opens no connection yet.

    Raises ``Misconfigured`` ``DATABASE_URL_INVALID``, also where the URL's driver is not installed.
    """
    try:
        engine = create_engine(url)
    except (ArgumentError, ImportError) as error:
        raise Misconfigured(
            "DATABASE_URL_INVALID",
            "This is no SQLAlchemy URL of a database whose driver is installed.",
            where="PINGZHENG_DATABASE_URL",
            hint="Such as sqlite:///ledger.db or postgresql+psycopg://user@host/ledger, and install its driver.",
        ) from error
    if engine.dialect.name == "sqlite":
        _make_sqlite_durable(engine)
        _make_sqlite_private(engine)
    return engine


def _make_sqlite_private(engine: Engine) -> None:
    """Whatever the folder's mode and the process's mask are, the files are their owner's alone, old ones too."""

    @event.listens_for(engine, "do_connect")
    def before(_dialect: Any, _record: Any, arguments: list[Any], _keywords: dict[str, Any]) -> None:
        file = str(arguments[0])
        if file == ":memory:" or file.startswith("file:"):
            return
        # What cannot be made is for SQLite to say. A file that is there is not opened: closing it would end the locks.
        with suppress(OSError):
            os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        # SQLite gives new ones the mode of the database.
        for name in (file, f"{file}-wal", f"{file}-shm", f"{file}-journal"):
            with suppress(OSError):
                Path(name).chmod(0o600)


def _make_sqlite_durable(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        # The driver's own transaction handling starts a write lock too late; we send BEGIN ourselves.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA secure_delete=ON")
        cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # IMMEDIATE takes the write lock first: two writers queue instead of failing half-way.
        read_only = connection.get_execution_options().get("read_only", False)
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


class Database:
    """Transactions over one engine. ``write`` commits on leaving, or rolls back all of it on an error."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session in one write transaction; writers take turns."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that sees one consistent snapshot and does not block writers."""
        options: dict[str, Any] = {"read_only": True}
        with (
            self.engine.connect().execution_options(**options) as connection,
            Session(connection, expire_on_commit=False) as session,
        ):
            yield session

    def scrub(self, timeout_ms: int = SCRUB_TIMEOUT_MS) -> bool:
        """Leave nothing of what was deleted in the files of an SQLite database; slow in proportion to its size.

        The write-ahead log keeps old pages until it is emptied, and when a page is split, ``secure_delete`` leaves what
        moved away in its gaps: so the database is rebuilt, then the log truncated. ``False`` when a writer or reader
        stood in the way for that long or the disk had no room (nothing is lost: call it again), and for PostgreSQL,
        whose dead rows, log files and backups are its operator's to clean.
        """
        if self.engine.dialect.name != "sqlite":
            return False
        connection = self.engine.raw_connection()
        cursor = connection.cursor()
        try:
            cursor.execute(f"PRAGMA busy_timeout={timeout_ms}")
            cursor.execute("VACUUM")
            busy, _pages, _moved = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.OperationalError:
            return False
        finally:
            cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
            connection.close()
        return not busy
