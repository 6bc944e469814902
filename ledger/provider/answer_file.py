"""The SQLite file that a provider keeps its answers in: its tables, and that its owner alone reads it.

Digests and party ids are 64 hex digits, times seconds UTC.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from ledger.errors import Misconfigured

_BUSY_SECONDS: Final = 30
_IN_OTHERS_REACH: Final = 0o077
VERSION: Final = 1
SCHEMA: Final = (
    "CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    # How far the platform's lists were read.
    "CREATE TABLE seen (name TEXT PRIMARY KEY, after TEXT NOT NULL)",
    # The party id that was answered for an identifier, by a keyed digest of the identifier; null once it was erased.
    "CREATE TABLE subject (mark TEXT PRIMARY KEY, party TEXT UNIQUE)",
    # Who stands behind a party id, so that an auditor finds the rows; destroyed by an erasure.
    "CREATE TABLE opening (party TEXT PRIMARY KEY, kind TEXT NOT NULL, identifier TEXT NOT NULL, key TEXT NOT NULL)",
    # Other party ids for an identifier, which wait for the clerk.
    "CREATE TABLE changed (party TEXT PRIMARY KEY, mark TEXT NOT NULL REFERENCES subject, identifier TEXT NOT NULL,"
    " at INTEGER NOT NULL)",
    # Signed answers. state: waiting (for the acknowledgement), received, refused (with the platform's code), erased.
    "CREATE TABLE answer (digest TEXT PRIMARY KEY, authorization TEXT NOT NULL, party TEXT NOT NULL,"
    " result TEXT NOT NULL, state TEXT NOT NULL, code TEXT, entry TEXT NOT NULL, disclosures TEXT NOT NULL,"
    " withdrawal TEXT, withdrawn TEXT, salt TEXT, at INTEGER NOT NULL)",
    "CREATE INDEX answer_party ON answer (party)",
    "CREATE INDEX answer_authorization ON answer (authorization)",
    "CREATE UNIQUE INDEX answer_waiting ON answer (authorization) WHERE state = 'waiting'",
)


class AnswerFile:
    """The file at ``path``, made with its folder when it is opened first."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def open(self) -> Iterator[sqlite3.Connection]:
        """A connection; errors of the file raise ``Misconfigured`` ``RECORDS_BUSY`` or ``RECORDS_DAMAGED``."""
        self._make_private()
        try:
            with closing(sqlite3.connect(self._path, timeout=_BUSY_SECONDS, isolation_level=None)) as database:
                # What is deleted is overwritten, and a commit outlasts a power cut: answers are kept before they go.
                for pragma in ("secure_delete=ON", "synchronous=EXTRA", "foreign_keys=ON"):
                    database.execute(f"PRAGMA {pragma}")
                self._make_tables(database)
                yield database
        except sqlite3.DatabaseError as error:
            raise self._unusable(error) from error

    def _make_private(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self._path.parent.stat().st_mode & _IN_OTHERS_REACH:
            raise Misconfigured(
                "RECORDS_NOT_PRIVATE",
                "The folder of the records is open to others.",
                where=str(self._path.parent),
                hint=f"chmod 700 {self._path.parent}",
            )
        if self._path.exists():
            # One that was restored or copied may be open to others.
            self._path.chmod(0o600)
        else:
            os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))

    def _make_tables(self, database: sqlite3.Connection) -> None:
        if _version(database) == 0:
            database.execute("BEGIN IMMEDIATE")
            # Of two that are the first, the other may have made them meanwhile.
            if _version(database) == 0:
                for statement in (*SCHEMA, f"PRAGMA user_version = {VERSION}"):
                    database.execute(statement)
            database.execute("COMMIT")
        if _version(database) != VERSION:
            raise sqlite3.DatabaseError("another version")

    def _unusable(self, error: sqlite3.DatabaseError) -> Misconfigured:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return Misconfigured(
                "RECORDS_BUSY",
                f"Another process has held the records for {_BUSY_SECONDS} seconds.",
                where=str(self._path),
                hint="Wait for it to end, then run this again.",
            )
        return Misconfigured(
            "RECORDS_DAMAGED",
            "The file of the records cannot be used: it is damaged, of another version, or the disk is full.",
            where=str(self._path),
            hint="Look at the disk; else restore the folder from a backup.",
        )


def _version(database: sqlite3.Connection) -> int:
    (version,) = database.execute("PRAGMA user_version").fetchone()
    return int(version)
