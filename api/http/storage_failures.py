"""Convert exceptions of other libraries about the database and the disk into a ``PingzhengError``."""

from __future__ import annotations

import errno
import sqlite3
from typing import Final

from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from ledger.errors import Busy, Misconfigured, PingzhengError, StorageFull

RETRY_SECONDS: Final = 1
NO_SPACE: Final = {errno.ENOSPC, errno.EDQUOT}


def known_failure(error: Exception) -> PingzhengError | None:
    """Convert an exception of the database or the disk into the ``PingzhengError`` that the caller gets.

    Returns None if the exception is not a known storage failure.
    """
    if isinstance(error, OSError):
        return _full() if error.errno in NO_SPACE else None
    if isinstance(error, PoolTimeout):
        return _busy()
    if not isinstance(error, DBAPIError):
        return None
    # SQLite gives the reason as a number. The low byte of SQLite's extended result code is the primary result code.
    code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) or isinstance(error, IntegrityError):
        # Two calls created the same record at the same time. The later call gets this error; if the caller repeats the
        # call, it finds the record.
        return _busy()
    if code == sqlite3.SQLITE_FULL:
        return _full()
    if isinstance(error, OperationalError | InterfaceError) or code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return Misconfigured("DATABASE_UNREACHABLE", "The database does not respond correctly.")
    return None


def _busy() -> Busy:
    return Busy("DATABASE_BUSY", "Other programs are writing to the database.", retry_after=RETRY_SECONDS)


def _full() -> StorageFull:
    return StorageFull("DISK_FULL", "A disk is full; nothing was written.")
