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
    """Open a session on a copy that nobody writes, without creating files beside the copy."""
    uri = f"{file.absolute().as_uri()}?mode=ro&immutable=1"
    engine = create_engine("sqlite://", creator=lambda: sqlite3.connect(uri, uri=True))
    try:
        with Session(engine, expire_on_commit=False) as session:
            yield session
    finally:
        engine.dispose()


def copy_database(engine: Engine, file: Path, metadata: MetaData) -> None:
    """Copy the database to a new file that only its owner can read, and flush it to the disk.

    An SQLite database is copied page by page. Of another database the tables are copied without the index, which can be
    built again. Raises ``StorageFull`` ``DISK_FULL``, ``Misconfigured``.
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
            # One step reads one snapshot of the write-ahead log and does not block writers.
            read.backup(written)
            # Without a write-ahead log the copy is a single file.
            written.execute("PRAGMA journal_mode=DELETE")
            written.execute("PRAGMA synchronous=FULL")
    except sqlite3.Error as error:
        where = source if "malformed" in str(error) else file
        raise database_failure(error, str(where)) or error from error


def _reading(source: Path) -> sqlite3.Connection:
    """Open ``source`` for reading, also on a read-only disk.

    On such a disk SQLite cannot create its files beside the database, so the database is opened without them, unless
    there is a write-ahead log with contents. Raises as ``database_failure``, with ``source``.
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
