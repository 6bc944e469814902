"""Translate SQLite's errors into errors of ``ledger.errors``: busy, full, read-only, damaged or not reachable."""

from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path
from typing import Final

from ledger.domain.disk import disk_full
from ledger.errors import Busy, Misconfigured, PingzhengError

RETRY_AFTER: Final = 1
# If less disk space than this number of bytes is free, a failed write means that the disk is full.
_NO_ROOM: Final = 64 * 1024


def database_failure(error: BaseException | None, where: str) -> PingzhengError | None:
    """Return the error for an SQLite error; None for errors of another kind, such as a violated constraint."""
    if not isinstance(error, sqlite3.Error):
        return None
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return Busy(
            "DATABASE_BUSY",
            "Other processes are writing to the database; nothing was written.",
            where=where,
            hint="Try again in a moment.",
            retry_after=RETRY_AFTER,
        )
    if code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and _without_room(where)):
        return disk_full(where)
    if code == sqlite3.SQLITE_READONLY or (code == sqlite3.SQLITE_CANTOPEN and is_read_only(Path(where))):
        return Misconfigured(
            "DATABASE_READ_ONLY",
            "The database is read-only.",
            where=where,
            hint="Allow the user under whom this program runs to write the file and its folder; check that the disk is "
            "not read-only.",
        )
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return Misconfigured(
            "DATABASE_DAMAGED",
            "The database file is damaged.",
            where=where,
            hint="Stop every program that uses the file, then run `pingzheng restore`. `pingzheng doctor` shows the "
            "damage.",
        )
    if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH):
        return Misconfigured(
            "DATABASE_UNREACHABLE",
            "The database cannot be opened.",
            where=where,
            hint="Check PINGZHENG_DATABASE_URL, the folder's permissions and the free space on the disk.",
        )
    return None


def is_read_only(file: Path) -> bool:
    """Return whether the database exists, but in a folder where SQLite cannot create its files beside the database."""
    return file.is_file() and not os.access(file.parent, os.W_OK)


def _without_room(where: str) -> bool:
    folder = Path(where).parent
    return folder.is_dir() and shutil.disk_usage(folder).free < _NO_ROOM
