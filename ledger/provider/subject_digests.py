"""Keyed digests of identifiers: without the key file nobody confirms a guess at whom the records are about."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import sqlite3
from pathlib import Path
from typing import Final

from ledger.errors import Misconfigured
from ledger.wallet.private_file import write_whole

_KEY_BYTES: Final = 32
_CHECK: Final = "key_check"


class SubjectDigests:
    """The key in ``path``, made with the first records; the records know it again by a digest of its own."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._key: bytes | None = None

    def of(self, identifier: str) -> str:
        """The keyed digest of an identifier, 64 hex digits; only after ``require``."""
        return self._digest("identifier|" + identifier)

    def require(self, database: sqlite3.Connection) -> None:
        """Read the key, or make it for records that are new; within the records' write transaction.

        Raises ``Misconfigured`` ``RECORDS_KEY_WRONG``: with another key every subject would look new.
        """
        if self._key is not None:
            return
        row = database.execute("SELECT value FROM about WHERE name = ?", (_CHECK,)).fetchone()
        if row is None and not self._path.exists():
            write_whole(self._path, secrets.token_hex(_KEY_BYTES).encode() + b"\n")
        self._key = self._read()
        if row is None:
            database.execute("INSERT INTO about VALUES (?, ?)", (_CHECK, self._digest(_CHECK)))
        elif not hmac.compare_digest(str(row[0]), self._digest(_CHECK)):
            self._key = None
            raise self._wrong()

    def _read(self) -> bytes:
        try:
            key = bytes.fromhex(self._path.read_text().strip())
        except (OSError, ValueError):
            key = b""
        if len(key) != _KEY_BYTES:
            raise self._wrong()
        return key

    def _digest(self, text: str) -> str:
        if self._key is None:
            raise RuntimeError("the key is read in a write transaction first")
        return hmac.new(self._key, f"pingzheng/provider/v1|{text}".encode(), hashlib.sha256).hexdigest()

    def _wrong(self) -> Misconfigured:
        return Misconfigured(
            "RECORDS_KEY_WRONG",
            "The key file of the records is missing, or is not the one that they were made with.",
            where=str(self._path),
            hint="Restore it from the backup: with another key no subject would be recognised.",
        )
