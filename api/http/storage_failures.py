"""Failures of database and disk that were raised as foreign exceptions: what a client is told of each."""

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
    """The error of ours that says the same; None for a fault in the program, which is no failure of storage."""
    if isinstance(error, OSError):
        return _full() if error.errno in NO_SPACE else None
    if isinstance(error, PoolTimeout):
        return _busy()
    if not isinstance(error, DBAPIError):
        return None
    # SQLite gives the reason as a number; its extended codes have the primary one in the low byte.
    code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) or isinstance(error, IntegrityError):
        # Of two calls that make the same record at once the later one finds it when it is sent again.
        return _busy()
    if code == sqlite3.SQLITE_FULL:
        return _full()
    if isinstance(error, OperationalError | InterfaceError) or code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return Misconfigured("DATABASE_UNREACHABLE", "The database does not answer as it must.")
    return None


def _busy() -> Busy:
    return Busy("DATABASE_BUSY", "Others are writing to the database.", retry_after=RETRY_SECONDS)


def _full() -> StorageFull:
    return StorageFull("DISK_FULL", "A disk is full; nothing was written.")
