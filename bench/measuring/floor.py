"""The floor is the least time that a stage can take on this machine. It is computed from the times of single operations
(one signature check, one database row, one encrypted text, one hash), each of which is measured alone.

A stage cannot take less time than the operations that it needs. So the time of each stage is compared with the sum of
the times of the stage's operations.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from coincurve import PrivateKey, PublicKey
from coincurve.utils import sha256
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from eth_hash.auto import keccak

from ledger.domain.canonical import canonical

ROWS: Final = 20_000
SECONDS: Final = 0.3
_NONCE: Final = bytes(12)
TITLES: Final[Mapping[str, str]] = {
    "verify": "check one ES256K signature (coincurve)",
    "row": "insert one row of a log entry into SQLite, 1,000 in a transaction, synchronous=FULL",
    "seal": "seal one text with AES-256-GCM under a new key, and wrap the key",
    "open": "unwrap a key and open one sealed text",
    "canonical": "canonical JSON of one statement, as the project writes it",
    "json": "the same statement by Python's compiled JSON encoder, without a check",
    "sha256": "SHA-256 of one statement",
    "keccak": "Keccak-256 of one statement",
}
# The operations that each stage needs for one certificate of scenario S02, however the tables are designed. A statement
# is checked, written as JSON, hashed and stored in one row, and its personal text is encrypted. A provision has three
# claims, whose digests are computed too. A leaf of a batch needs two hashes.
NEEDS: Final[Mapping[str, Mapping[str, int]]] = {
    "record requests": {"verify": 1, "canonical": 1, "sha256": 1, "seal": 1, "row": 1},
    "record authorizations": {"verify": 1, "canonical": 1, "sha256": 1, "seal": 1, "row": 1},
    "record provisions": {"verify": 1, "canonical": 1, "sha256": 4, "seal": 1, "row": 1},
    "issue": {"canonical": 1, "sha256": 1, "open": 1, "seal": 1, "row": 1},
    "anchor and confirm": {"sha256": 8},
}


def floor(folder: Path, statement: Mapping[str, Any]) -> dict[str, float]:
    """Return the microseconds of each operation of ``TITLES``; ``statement`` is a signed request of scenario S02."""
    text = canonical(dict(statement))
    key = PrivateKey()
    signature, point = key.sign(text, sha256), key.public_key.format()
    wrapping, data_key = AESGCM.generate_key(256), AESGCM.generate_key(256)
    wrapped, sealed = AESGCM(wrapping).encrypt(_NONCE, data_key, None), AESGCM(data_key).encrypt(_NONCE, text, b"id")

    def seal() -> None:
        fresh = AESGCM.generate_key(256)
        AESGCM(fresh).encrypt(_NONCE, text, b"id")
        AESGCM(wrapping).encrypt(_NONCE, fresh, None)

    def opened() -> None:
        AESGCM(AESGCM(wrapping).decrypt(_NONCE, wrapped, None)).decrypt(_NONCE, sealed, b"id")

    return {
        "verify": _each(lambda: PublicKey(point).verify(signature, text, sha256)),
        "row": _row(folder / "floor.db", text),
        "seal": _each(seal),
        "open": _each(opened),
        "canonical": _each(lambda: canonical(dict(statement))),
        "json": _each(lambda: json.dumps(statement, ensure_ascii=False, sort_keys=True, separators=(",", ":"))),
        "sha256": _each(lambda: hashlib.sha256(text).digest()),
        "keccak": _each(lambda: keccak(text)),
    }


def least(stage: str, costs: Mapping[str, float]) -> float:
    """Return the least number of microseconds that a stage needs for one certificate."""
    return sum(costs[name] * times for name, times in NEEDS[stage].items())


def _each(act: Callable[[], object]) -> float:
    """Return the microseconds of one call. The call is repeated for at least ``SECONDS``."""
    act()
    done, start = 0, time.perf_counter()
    while (passed := time.perf_counter() - start) < SECONDS:
        for _ in range(100):
            act()
        done += 100
    return round(passed / done * 1_000_000, 2)


def _row(file: Path, text: bytes) -> float:
    """Return the microseconds to insert a row like a log entry: a number, a digest with an index, and the entry."""
    file.unlink(missing_ok=True)
    rows = [(number, hashlib.sha256(b"%d" % number).hexdigest(), text) for number in range(ROWS)]
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("CREATE TABLE entry (seq INTEGER PRIMARY KEY, digest TEXT UNIQUE, entry BLOB)")
        start = time.perf_counter()
        for first in range(0, ROWS, 1_000):
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT INTO entry VALUES (?, ?, ?)", rows[first : first + 1_000])
            connection.execute("COMMIT")
        passed = time.perf_counter() - start
    for name in (file.name, f"{file.name}-wal", f"{file.name}-shm"):
        file.with_name(name).unlink(missing_ok=True)
    return round(passed / ROWS * 1_000_000, 2)
