"""Keyed digests of identifiers. Without the key file, nobody can find out by guessing who is in the records."""

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
    """Makes the digests with the key in the file ``path``, which is created with the first records.

    The records contain a digest of the key, with which a wrong key is recognised.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._key: bytes | None = None

    def of(self, identifier: str) -> str:
        """Return the keyed digest of an identifier, 64 hex digits; call ``require`` first."""
        return self._digest("identifier|" + identifier)

    def require(self, database: sqlite3.Connection) -> None:
        """Read the key, or create the key for new records. Call this within the records' write transaction.

        Raises ``Misconfigured`` ``RECORDS_KEY_WRONG`` if the key is not the key of these records, because with another
        key every subject would look new.
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
            raise RuntimeError("the key must first be read in a write transaction")
        return hmac.new(self._key, f"pingzheng/provider/v1|{text}".encode(), hashlib.sha256).hexdigest()

    def _wrong(self) -> Misconfigured:
        return Misconfigured(
            "RECORDS_KEY_WRONG",
            "The key file is missing, or does not belong to these records.",
            where=str(self._path),
            hint="Restore the key file from the backup: with another key no subject would be recognised.",
        )
