"""A copy of a whole database as one SQLite file, consistent while others write."""

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
    """A session on a copy that nobody writes; nothing is made beside the file."""
    uri = f"{file.absolute().as_uri()}?mode=ro&immutable=1"
    engine = create_engine("sqlite://", creator=lambda: sqlite3.connect(uri, uri=True))
    try:
        with Session(engine, expire_on_commit=False) as session:
            yield session
    finally:
        engine.dispose()


def copy_database(engine: Engine, file: Path, metadata: MetaData) -> None:
    """Write the present state of the database to a new file, for its owner alone, on the disk when this returns.

    An SQLite database is copied page by page; of any other the tables, without the index, which is made anew.
    Raises ``StorageFull`` ``DISK_FULL``, ``Misconfigured``.
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
            # In one step: it reads one snapshot of the write-ahead log, and no writer waits for it.
            read.backup(written)
            # A copy that was in use has a journal beside it; this one is a single file.
            written.execute("PRAGMA journal_mode=DELETE")
            written.execute("PRAGMA synchronous=FULL")
    except sqlite3.Error as error:
        where = source if "malformed" in str(error) else file
        raise database_failure(error, str(where)) or error from error


def _reading(source: Path) -> sqlite3.Connection:
    """A connection that reads ``source``, also on a disk that cannot be written.

    There SQLite cannot make the files that it needs beside the database, and nobody writes: where there is no log with
    contents, the database is read by itself. Raises as ``database_failure``, naming ``source``.
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
