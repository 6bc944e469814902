"""The engine and its transactions. SQLite is the embedded default; the SQL is PostgreSQL's too."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, ExceptionContext, MetaData, create_engine, event, inspect, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.orm import Session

from ledger.domain.findings import Finding
from ledger.errors import Misconfigured
from ledger.store.failures import database_failure

BUSY_TIMEOUT_MS = 30_000
SCRUB_TIMEOUT_MS = 5_000


def open_engine(url: str, wait_ms: int = BUSY_TIMEOUT_MS) -> Engine:
    """Engine for ``url`` (``sqlite:///file`` or a PostgreSQL URL); opens no connection yet.

    A write waits ``wait_ms`` for the writers before it, then raises ``Busy``. Whatever goes through the engine raises
    what ``failures.database_failure`` names in place of SQLite's errors. Raises ``Misconfigured``
    ``DATABASE_URL_INVALID``, also where the URL's driver is not installed.
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
        _make_sqlite_durable(engine, wait_ms)
        _make_sqlite_private(engine)
        _explain_failures(engine)
    return engine


def file_of(url: str | URL) -> Path | None:
    """The file of an SQLite database; None for one in memory or on a server."""
    parts = make_url(url)
    if parts.get_backend_name() != "sqlite" or parts.database in (None, "", ":memory:"):
        return None
    return Path(str(parts.database))


def require_contents(engine: Engine) -> None:
    """Raise ``Misconfigured`` unless there is a database that was set up for a ledger.

    ``DATABASE_MISSING``, ``DATABASE_EMPTY``, ``DATABASE_DAMAGED``; nothing is made or changed by looking.
    """
    if (file := file_of(engine.url)) is not None and not str(file).startswith("file:"):
        require_readable(file)
    with engine.connect().execution_options(read_only=True) as connection:
        if not inspect(connection).has_table("alembic_version"):
            raise database_empty(engine.url.render_as_string(hide_password=True))
        if connection.exec_driver_sql("SELECT version_num FROM alembic_version").first() is None:
            raise _incomplete(engine, ["alembic_version"])


def require_tables(engine: Engine, metadata: MetaData) -> None:
    """Raise ``Misconfigured`` ``DATABASE_DAMAGED`` unless every table of ``metadata`` is there."""
    with engine.connect().execution_options(read_only=True) as connection:
        missing = metadata.tables.keys() - inspect(connection).get_table_names()
    if missing:
        raise _incomplete(engine, sorted(missing))


def _incomplete(engine: Engine, missing: list[str]) -> Misconfigured:
    return Misconfigured(
        "DATABASE_DAMAGED",
        f"The database lacks what this ledger had: {', '.join(missing)}.",
        where=engine.url.render_as_string(hide_password=True),
        hint="It was changed by other means. Restore it with `pingzheng restore`.",
        missing=missing,
    )


def require_readable(file: Path) -> None:
    """Look at the file before SQLite opens it to write.

    Beside a file that is no database it would throw away the write-ahead log, which may hold what was acknowledged
    last. This way of opening touches neither file nor log, nor any lock of this process. It says only whether the file
    begins as a database does: a file that is half written is whole together with its log, which SQLite knows.
    """
    if not file.exists():
        raise Misconfigured(
            "DATABASE_MISSING",
            "The database of this ledger is missing.",
            where=str(file),
            hint="Restore it with `pingzheng restore`, or copy the file back from the backup.",
        )
    if file.is_file() and not file.stat().st_size:
        raise database_empty(str(file))
    address = f"file:{quote(str(file.absolute()))}?mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(address, uri=True)) as connection:
            connection.execute("PRAGMA schema_version")
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_NOTADB:
            raise database_failure(error, str(file)) or error from error


def database_empty(where: str) -> Misconfigured:
    """There is a database, and nothing of a ledger in it."""
    return Misconfigured(
        "DATABASE_EMPTY",
        "The database holds no ledger: it was emptied, or it is another one.",
        where=where,
        hint="Restore it with `pingzheng restore`. The tables are not made anew: what they held would be lost.",
    )


def _explain_failures(engine: Engine) -> None:
    @event.listens_for(engine, "handle_error")
    def explain(context: ExceptionContext) -> None:
        failure = database_failure(context.original_exception, str(engine.url.database))
        if failure is not None:
            raise failure from context.original_exception


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


def _make_sqlite_durable(engine: Engine, wait_ms: int) -> None:
    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        # The driver's own transaction handling starts a write lock too late; we send BEGIN ourselves.
        connection.isolation_level = None
        try:
            with closing(connection.cursor()) as cursor:
                cursor.execute(f"PRAGMA busy_timeout={wait_ms}")
                cursor.execute("PRAGMA journal_mode=WAL")
                cursor.execute("PRAGMA synchronous=FULL")
                cursor.execute("PRAGMA foreign_keys=ON")
                cursor.execute("PRAGMA secure_delete=ON")
        except sqlite3.Error as error:
            # Before the engine has a connection, nothing explains its errors.
            raise database_failure(error, str(engine.url.database)) or error from error

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # IMMEDIATE takes the write lock first: two writers queue instead of failing half-way.
        read_only = connection.get_execution_options().get("read_only", False)
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


class Database:
    """Transactions over one engine. ``write`` commits on leaving, or rolls back all of it on an error.

    As long as a finding stands that parts of the installation do not belong together, nothing is written.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._standing: Finding | None = None

    @property
    def standing(self) -> Finding | None:
        """The finding that keeps this from being written; None if all is well."""
        return self._standing

    def refuse(self, finding: Finding) -> None:
        """Write nothing from now on, because of ``finding``."""
        self._standing = finding

    def allow(self) -> None:
        """Write again: nothing stands against it."""
        self._standing = None

    def require_writable(self) -> None:
        """Raise ``Incoherent``, by the code of the finding that stands, if nothing may be written or sent."""
        if self._standing is not None:
            raise self._standing.refusal()

    @contextmanager
    def write(self, *, mending: bool = False) -> Iterator[Session]:
        """A session in one write transaction; writers take turns.

        Raises ``Incoherent`` as ``require_writable``, unless it is for ``mending`` what was found. Raises ``Busy``,
        ``StorageFull`` and ``Misconfigured`` as ``failures.database_failure``.
        """
        if not mending:
            self.require_writable()
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
        (waits,) = cursor.execute("PRAGMA busy_timeout").fetchone()
        try:
            cursor.execute(f"PRAGMA busy_timeout={timeout_ms}")
            cursor.execute("VACUUM")
            busy, _pages, _moved = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.OperationalError:
            return False
        finally:
            cursor.execute(f"PRAGMA busy_timeout={waits}")
            connection.close()
        return not busy
