"""Copy a whole database into one SQLite file. The copy is consistent even while others write."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import Engine, MetaData, create_engine, insert, select
from sqlalchemy.orm import Session

from ledger.store.database import Database, file_of, open_engine
from ledger.store.failures import database_failure, is_read_only
from ledger.store.migrations import upgrade

_CHUNK: Final = 1_000


@contextmanager
def reading_copy(file: Path) -> Iterator[Session]:
    """Open a session that reads a copy. No program may write the copy; no files are created in its folder."""
    uri = f"{file.absolute().as_uri()}?mode=ro&immutable=1"
    engine = create_engine("sqlite://", creator=lambda: sqlite3.connect(uri, uri=True))
    try:
        with Session(engine, expire_on_commit=False) as session:
            yield session
    finally:
        engine.dispose()


def copy_database(engine: Engine, file: Path, metadata: MetaData) -> None:
    """Copy the database to a new file that only its owner can read, and flush it to the disk.

    An SQLite database is copied page by page. From any other database, the tables are copied, except the index of the
    chain, which can be built again. Raises ``StorageFull`` ``DISK_FULL``, and ``Misconfigured`` if the database or the
    file cannot be opened.
    """
    file.touch(0o600, exist_ok=False)
    source = file_of(engine.url.render_as_string(hide_password=False))
    if source is None:
        _copy_tables(Database(engine), file, metadata)
    else:
        _copy_pages(source, file)


def _copy_pages(source: Path, file: Path) -> None:
    try:
        with (
            closing(_reading(source)) as read,
            closing(sqlite3.connect(file)) as written,
        ):
            # All pages are copied in one step, so that they belong to one moment; writers are not blocked.
            read.backup(written)
            # The copy must not use a write-ahead log, so that it is a single file.
            written.execute("PRAGMA journal_mode=DELETE")
            written.execute("PRAGMA synchronous=FULL")
    except sqlite3.Error as error:
        where = source if "malformed" in str(error) else file
        raise database_failure(error, str(where)) or error from error


def _reading(source: Path) -> sqlite3.Connection:
    """Open ``source`` for reading, also on a read-only disk.

    On such a disk SQLite cannot create its files beside the database, so the database is opened without these files,
    unless there is a write-ahead log with contents. Raises the errors of ``database_failure``, which name ``source``.
    """
    address = f"{source.absolute().as_uri()}?mode=ro"
    connection = sqlite3.connect(address, uri=True)
    try:
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except sqlite3.Error as error:
        connection.close()
        failure = database_failure(error, str(source)) or error
        log = source.with_name(f"{source.name}-wal")
        if not is_read_only(source) or (log.exists() and log.stat().st_size):
            raise failure from error
        connection = sqlite3.connect(f"{address}&immutable=1", uri=True)
    return connection


def _copy_tables(database: Database, file: Path, metadata: MetaData) -> None:
    engine = open_engine(f"sqlite:///{file}")
    try:
        upgrade(engine)
        with database.read() as session, engine.begin() as written:
            for table in metadata.sorted_tables:
                rows = session.execute(select(table).execution_options(yield_per=_CHUNK)).mappings()
                for part in rows.partitions():
                    written.execute(insert(table), [dict(row) for row in part])
    finally:
        engine.dispose()
    with closing(sqlite3.connect(file)) as plain:
        plain.execute("PRAGMA journal_mode=DELETE")
