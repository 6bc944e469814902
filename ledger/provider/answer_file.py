"""The SQLite file in which a provider keeps its answers: creates the tables, and makes the file readable only by its
owner.

In the tables, digests and party ids are 64 hex digits, and times are seconds UTC.
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
    # For each list of the platform (tasks, erasures): the position up to which the list was read.
    "CREATE TABLE seen (name TEXT PRIMARY KEY, after TEXT NOT NULL)",
    # For each identifier (``mark`` is its keyed digest): the party id for which answers were given; null after an
    # erasure.
    "CREATE TABLE subject (mark TEXT PRIMARY KEY, party TEXT UNIQUE)",
    # The identifier that belongs to a party id. With the identifier, an auditor can find the rows. An erasure deletes
    # the identifier.
    "CREATE TABLE opening (party TEXT PRIMARY KEY, kind TEXT NOT NULL, identifier TEXT NOT NULL, key TEXT NOT NULL)",
    # Other party ids for an identifier that already has a party id; the provider's clerk must confirm them.
    "CREATE TABLE changed (party TEXT PRIMARY KEY, mark TEXT NOT NULL REFERENCES subject, identifier TEXT NOT NULL,"
    " at INTEGER NOT NULL)",
    # Signed answers. ``state`` is waiting (for the platform's receipt), received, refused (``code`` is the platform's
    # error code), or erased.
    "CREATE TABLE answer (digest TEXT PRIMARY KEY, authorization TEXT NOT NULL, party TEXT NOT NULL,"
    " result TEXT NOT NULL, state TEXT NOT NULL, code TEXT, entry TEXT NOT NULL, disclosures TEXT NOT NULL,"
    " withdrawal TEXT, withdrawn TEXT, salt TEXT, at INTEGER NOT NULL)",
    "CREATE INDEX answer_party ON answer (party)",
    "CREATE INDEX answer_authorization ON answer (authorization)",
    "CREATE UNIQUE INDEX answer_waiting ON answer (authorization) WHERE state = 'waiting'",
)


class AnswerFile:
    """The file at ``path``; the file and its folder are created when the file is first opened."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def open(self) -> Iterator[sqlite3.Connection]:
        """Open a connection.

        Errors of the file are raised as ``Misconfigured`` ``RECORDS_BUSY`` or ``RECORDS_DAMAGED``.
        """
        self._make_private()
        try:
            with closing(sqlite3.connect(self._path, timeout=_BUSY_SECONDS, isolation_level=None)) as database:
                # With these settings, deleted data is overwritten, and a commit survives a power cut: an answer must be
                # stored for good before it is sent.
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
                "Other users can open the folder of the records.",
                where=str(self._path.parent),
                hint=f"Run `chmod 700 {self._path.parent}`.",
            )
        if self._path.exists():
            # If the file was restored or copied, other users may be able to read it. So its mode is set to 600 again.
            self._path.chmod(0o600)
        else:
            os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))

    def _make_tables(self, database: sqlite3.Connection) -> None:
        if _version(database) == 0:
            database.execute("BEGIN IMMEDIATE")
            # Another process may have created the tables in the meantime.
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
                f"Another process has used the records for {_BUSY_SECONDS} seconds.",
                where=str(self._path),
                hint="Wait for the other process to end, then run this command again.",
            )
        return Misconfigured(
            "RECORDS_DAMAGED",
            "The file of the records cannot be used: it is damaged, of another version, or the disk is full.",
            where=str(self._path),
            hint="Check the disk; if it is not full, restore the folder from a backup.",
        )


def _version(database: sqlite3.Connection) -> int:
    (version,) = database.execute("PRAGMA user_version").fetchone()
    return int(version)
