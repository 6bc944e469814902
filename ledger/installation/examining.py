"""Looking at files and databases without changing them, for ``doctor``."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Engine, inspect

from ledger.domain.findings import Finding
from ledger.errors import PingzhengError
from ledger.index.tables import METADATA
from ledger.store.migrations import newest


def version(engine: Engine) -> Iterator[Finding]:
    """Whether the database has the schema that this program writes."""
    with engine.connect().execution_options(read_only=True) as connection:
        found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one()
    if found != newest(engine):
        yield Finding(
            "DATABASE_OTHER_VERSION",
            f"The database has the schema {found}, and this program writes {newest(engine)}.",
            None,
            "An older database is brought up to date when it is opened; a newer one needs the newer program.",
            {"found": found, "expected": newest(engine)},
        )


def index_tables_missing(engine: Engine) -> Finding | None:
    """That tables of the index were removed; the index makes them when it follows for the first time."""
    with engine.connect().execution_options(read_only=True) as connection:
        missing = METADATA.tables.keys() - inspect(connection).get_table_names()
    if not missing:
        return None
    return Finding(
        "INDEX_DIFFERS",
        f"The index lacks tables: {', '.join(sorted(missing))}.",
        "index",
        "Replay it from the chain: `pingzheng index rebuild`.",
        {"missing": sorted(missing)},
    )


def as_finding(error: PingzhengError) -> Finding:
    """An error that was met while looking."""
    return Finding(error.code, error.message, error.where, error.hint, error.details)


def access(file: Path) -> str:
    """How SQLite opens the file so that it makes nothing beside it.

    Where neither a log with contents nor its index is there, nobody has the database open: it does not change.
    """
    log, index = (file.with_name(f"{file.name}{end}") for end in ("-wal", "-shm"))
    used = (log.exists() and log.stat().st_size > 0) or index.exists()
    return "mode=ro" if used else "mode=ro&immutable=1"


def is_held(lock: Path) -> bool:
    """Whether another program holds the lock of the chain's owner: its node runs."""
    if not lock.exists():
        return False
    with lock.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def with_contents(path: Path) -> list[Path]:
    """A file, or all files in a folder; none where there is neither."""
    if path.is_dir():
        return [each for each in sorted(path.rglob("*")) if each.is_file()]
    return [path] if path.exists() else []


def damaged_pages(file: Path, wrong: list[str]) -> Finding:
    """What SQLite's own check says is wrong."""
    return Finding(
        "DATABASE_DAMAGED",
        f"Pages of the database are damaged: {wrong[0]}.",
        str(file),
        "Stop every program that uses it, and restore it with `pingzheng restore`.",
        {"damage": wrong},
    )
