"""Errors of a database in the words of ``ledger.errors``: it is busy, full, read-only, damaged or out of reach."""

from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path
from typing import Final

from ledger.domain.disk import disk_full
from ledger.errors import Busy, Misconfigured, PingzhengError

RETRY_AFTER: Final = 1
# Less than a page of an index file: what fails to write with so little room fails because of it.
_NO_ROOM: Final = 64 * 1024


def database_failure(error: BaseException | None, where: str) -> PingzhengError | None:
    """What an error of SQLite means for whoever asked; None for other errors, such as a broken constraint."""
    if not isinstance(error, sqlite3.Error):
        return None
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return Busy(
            "DATABASE_BUSY",
            "Others are writing to the database just now; nothing was written.",
            where=where,
            hint="Try again in a moment.",
            retry_after=RETRY_AFTER,
        )
    if code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and _without_room(where)):
        return disk_full(where)
    if code == sqlite3.SQLITE_READONLY or (code == sqlite3.SQLITE_CANTOPEN and is_read_only(Path(where))):
        return Misconfigured(
            "DATABASE_READ_ONLY",
            "The database can be read and not written.",
            where=where,
            hint="Give the file and its folder to the user that runs this program, on a disk that can be written.",
        )
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return Misconfigured(
            "DATABASE_DAMAGED",
            "The database file is damaged.",
            where=where,
            hint="Stop every program that uses it, and restore it with `pingzheng restore`. `pingzheng doctor` says "
            "what is damaged.",
        )
    if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH):
        return Misconfigured(
            "DATABASE_UNREACHABLE",
            "The database does not open.",
            where=where,
            hint="Check PINGZHENG_DATABASE_URL, the folder's permissions and the room on the disk.",
        )
    return None


def is_read_only(file: Path) -> bool:
    """Whether there is a database in a folder where SQLite cannot make the files that it needs beside it."""
    return file.is_file() and not os.access(file.parent, os.W_OK)


def _without_room(where: str) -> bool:
    folder = Path(where).parent
    return folder.is_dir() and shutil.disk_usage(folder).free < _NO_ROOM
