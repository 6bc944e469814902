"""Examine files and databases without changing them, for ``doctor``."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, inspect

from ledger.domain.findings import Finding
from ledger.errors import PingzhengError
from ledger.index.tables import METADATA
from ledger.store.migrations import newest


@dataclass(frozen=True, slots=True)
class Part:
    """The result of examining one part. ``skipped`` names a damaged part that prevents the examination of this part."""

    name: str
    findings: tuple[Finding, ...] = ()
    skipped: str | None = None
    remarks: tuple[Finding, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the part as JSON; ``ok`` is null if the part could not be examined."""
        return {
            "part": self.name,
            "ok": None if self.skipped else not self.findings,
            "skipped": self.skipped,
            "findings": [finding.to_dict() for finding in self.findings],
            "remarks": [remark.to_dict() for remark in self.remarks],
        }


def version(engine: Engine) -> Iterator[Finding]:
    """Yield a finding if the database's schema version differs from the version that this program writes."""
    with engine.connect().execution_options(read_only=True) as connection:
        found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one()
    if found != newest(engine):
        yield Finding(
            "DATABASE_OTHER_VERSION",
            f"The database has schema version {found}; this program writes version {newest(engine)}.",
            None,
            "An older database is upgraded when it is opened; a newer database needs the newer program.",
            {"found": found, "expected": newest(engine)},
        )


def index_tables_missing(engine: Engine) -> Finding | None:
    """Return a finding if tables of the index are missing from the database; else None."""
    with engine.connect().execution_options(read_only=True) as connection:
        missing = METADATA.tables.keys() - inspect(connection).get_table_names()
    if not missing:
        return None
    return Finding(
        "INDEX_DIFFERS",
        f"Tables of the index are missing: {', '.join(sorted(missing))}.",
        "index",
        "Rebuild the index from the chain: `pingzheng index rebuild`.",
        {"missing": sorted(missing)},
    )


def as_finding(error: PingzhengError) -> Finding:
    """Return the finding for an error that was raised during the examination."""
    return Finding(error.code, error.message, error.where, error.hint, error.details)


def access(file: Path) -> str:
    """Return the SQLite URI parameters that open the database file without creating further files.

    If there is no write-ahead log with content and no ``-shm`` file, no program has the database open. Then the file
    can be read as immutable.
    """
    log, index = (file.with_name(f"{file.name}{end}") for end in ("-wal", "-shm"))
    used = (log.exists() and log.stat().st_size > 0) or index.exists()
    return "mode=ro" if used else "mode=ro&immutable=1"


def is_held(lock: Path) -> bool:
    """Return whether another program has the lock on this file. The program that has the lock runs the node of the
    local chain.
    """
    if not lock.exists():
        return False
    with lock.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def with_contents(path: Path) -> list[Path]:
    """Return the path if it is a file, or all files in the folder if it is a folder. The list is empty if the path does
    not exist.
    """
    if path.is_dir():
        return [each for each in sorted(path.rglob("*")) if each.is_file()]
    return [path] if path.exists() else []


def damaged_pages(file: Path, wrong: list[str]) -> Finding:
    """Return the finding for damaged pages; ``wrong`` is the output of SQLite's integrity check."""
    return Finding(
        "DATABASE_DAMAGED",
        f"Pages of the database are damaged: {wrong[0]}.",
        str(file),
        "Stop every program that uses the database, and restore it with `pingzheng restore`.",
        {"damage": wrong},
    )
