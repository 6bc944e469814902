"""The database engine and its transactions. SQLite is the default; all SQL also runs on PostgreSQL."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
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
from ledger.store.scrubbing import scrub
from ledger.store.tables import Sealed

BUSY_TIMEOUT_MS = 30_000
SCRUB_TIMEOUT_MS = 5_000


def open_engine(url: str, wait_ms: int = BUSY_TIMEOUT_MS) -> Engine:
    """Return an engine for ``url`` (``sqlite:///file`` or a PostgreSQL URL), without opening a connection.

    A write waits at most ``wait_ms`` milliseconds for other writers, then raises ``Busy``. SQLite's errors are replaced
    by the errors of ``failures.database_failure``. Raises ``Misconfigured`` ``DATABASE_URL_INVALID`` if the URL is
    invalid or its driver is not installed.
    """
    try:
        engine = create_engine(url)
    except (ArgumentError, ImportError) as error:
        raise Misconfigured(
            "DATABASE_URL_INVALID",
            "The database URL is invalid, or its driver is not installed.",
            where="PINGZHENG_DATABASE_URL",
            hint="Give a URL such as sqlite:///ledger.db or postgresql+psycopg://user@host/ledger; install its driver.",
        ) from error
    if engine.dialect.name == "sqlite":
        _make_sqlite_durable(engine, wait_ms)
        _make_sqlite_private(engine)
        _explain_failures(engine)
    return engine


def file_of(url: str | URL) -> Path | None:
    """Return the path of an SQLite database's file; None for a database in memory or on a server."""
    parts = make_url(url)
    if parts.get_backend_name() != "sqlite" or parts.database in (None, "", ":memory:"):
        return None
    return Path(str(parts.database))


def require_contents(engine: Engine) -> None:
    """Raise ``Misconfigured`` unless the database was set up for a ledger; nothing is created or changed.

    The codes are ``DATABASE_MISSING``, ``DATABASE_EMPTY`` and ``DATABASE_DAMAGED``.
    """
    if (file := file_of(engine.url)) is not None and not str(file).startswith("file:"):
        require_readable(file)
    with engine.connect().execution_options(read_only=True) as connection:
        if not inspect(connection).has_table("alembic_version"):
            raise database_empty(engine.url.render_as_string(hide_password=True))
        if connection.exec_driver_sql("SELECT version_num FROM alembic_version").first() is None:
            raise _incomplete(engine, ["alembic_version"])


def require_tables(engine: Engine, metadata: MetaData) -> None:
    """Raise ``Misconfigured`` ``DATABASE_DAMAGED`` unless the database has every table of ``metadata``."""
    with engine.connect().execution_options(read_only=True) as connection:
        missing = metadata.tables.keys() - inspect(connection).get_table_names()
    if missing:
        raise _incomplete(engine, sorted(missing))


def _incomplete(engine: Engine, missing: list[str]) -> Misconfigured:
    return Misconfigured(
        "DATABASE_DAMAGED",
        f"The database lacks these tables of the ledger: {', '.join(missing)}.",
        where=engine.url.render_as_string(hide_password=True),
        hint="Another program changed the database. Restore it with `pingzheng restore`.",
        missing=missing,
    )


def require_readable(file: Path) -> None:
    """Raise ``Misconfigured`` unless the file begins like a database; call this before SQLite opens the file for
    writing.

    If the file is no database, SQLite would delete the write-ahead log beside it, which may hold the last acknowledged
    writes. This check changes neither file nor log, and takes no lock. It reads only the beginning of the file: other
    parts may be half-written, and SQLite completes them from the log.
    """
    if not file.exists():
        raise Misconfigured(
            "DATABASE_MISSING",
            "The database of this ledger is missing.",
            where=str(file),
            hint="Run `pingzheng restore`, or copy the file from the backup.",
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
    """Return the error for a database without the tables of a ledger."""
    return Misconfigured(
        "DATABASE_EMPTY",
        "The database has no tables of a ledger: it was emptied, or it is another database.",
        where=where,
        hint="Restore it with `pingzheng restore`. New tables would lose the old contents, so none are created.",
    )


def _explain_failures(engine: Engine) -> None:
    @event.listens_for(engine, "handle_error")
    def explain(context: ExceptionContext) -> None:
        failure = database_failure(context.original_exception, str(engine.url.database))
        if failure is not None:
            raise failure from context.original_exception


def _make_sqlite_private(engine: Engine) -> None:
    """Make the database's files, new or old, readable by their owner only, whatever the folder's mode and the umask
    are.
    """

    @event.listens_for(engine, "do_connect")
    def before(_dialect: Any, _record: Any, arguments: list[Any], _keywords: dict[str, Any]) -> None:
        file = str(arguments[0])
        if file == ":memory:" or file.startswith("file:"):
            return
        # If the file cannot be created, SQLite reports it later. An existing file is not opened here, because closing
        # it would release SQLite's locks.
        with suppress(OSError):
            os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        # Make existing files private. SQLite gives each new file beside the database the same mode as the database
        # file.
        for name in (file, f"{file}-wal", f"{file}-shm", f"{file}-journal"):
            with suppress(OSError):
                Path(name).chmod(0o600)


def _make_sqlite_durable(engine: Engine, wait_ms: int) -> None:
    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        # The driver would begin a transaction too late, so BEGIN is sent explicitly (below).
        connection.isolation_level = None
        try:
            with closing(connection.cursor()) as cursor:
                cursor.execute(f"PRAGMA busy_timeout={wait_ms}")
                cursor.execute("PRAGMA journal_mode=WAL")
                cursor.execute("PRAGMA synchronous=FULL")
                cursor.execute("PRAGMA foreign_keys=ON")
                cursor.execute("PRAGMA secure_delete=ON")
        except sqlite3.Error as error:
            # The engine's error handler is not active yet, so errors are translated here.
            raise database_failure(error, str(engine.url.database)) or error from error

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # IMMEDIATE takes the write lock at the beginning, so that a second writer waits instead of failing half-way.
        read_only = connection.get_execution_options().get("read_only", False)
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


class Database:
    """Opens the transactions of one engine. ``write`` commits at the end of its block, and rolls back after an error.

    Nothing is written while a check has found that parts of the installation do not fit together.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._standing: Finding | None = None

    @property
    def standing(self) -> Finding | None:
        """The finding (a problem that a check reported) that forbids writing, or None if writes are allowed."""
        return self._standing

    def refuse(self, finding: Finding) -> None:
        """Refuse writes from now on, because of ``finding``."""
        self._standing = finding

    def allow(self) -> None:
        """Allow writes again."""
        self._standing = None

    def require_writable(self) -> None:
        """Raise ``Incoherent`` with the finding's code if a check found a problem that forbids writing and sending."""
        if self._standing is not None:
            raise self._standing.refusal()

    @contextmanager
    def write(self, *, mending: bool = False) -> Iterator[Session]:
        """Open a session in one write transaction; only one transaction can write at a time.

        Raises ``Incoherent`` as ``require_writable`` does, unless ``mending`` is set: then the transaction repairs the
        cause of the finding. Raises ``Busy``, ``StorageFull`` and ``Misconfigured`` if SQLite reports an error.
        """
        if not mending:
            self.require_writable()
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Open a session that sees one consistent snapshot and does not block writers."""
        options: dict[str, Any] = {"read_only": True}
        with (
            self.engine.connect().execution_options(**options) as connection,
            Session(connection, expire_on_commit=False) as session,
        ):
            yield session

    def scrub(self, remains: Sequence[bytes] = (), timeout_ms: int = SCRUB_TIMEOUT_MS) -> bool:
        """Remove the remains of deleted data from the files of an SQLite database, and return whether this succeeded.

        ``remains`` are the deleted values; keys and ciphertexts of texts that were erased earlier are removed too.
        Without ``remains``, everything that SQLite left behind of deleted data is removed, which may take longer.
        Writers wait only for short steps, however large the database is. Returns False if other readers or writers were
        active for too long, or the disk was full; then call this method again. Always returns False for PostgreSQL: its
        operator must remove dead rows, log files and backups.
        """
        if self.engine.dialect.name != "sqlite":
            return False
        file = file_of(self.engine.url)
        return file is None or scrub(file, remains, timeout_ms, (Sealed.__tablename__,))
