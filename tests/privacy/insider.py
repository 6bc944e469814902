"""An insider who has every file of a ledger's folder: database, log, chain journal and all keys.

The insider decrypts all sealed texts with the keys, and collects all values that may be digests. The insider then
guesses identifiers, and checks whether any method of the system computes a collected digest from a guess.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap

from ledger.domain.canonical import canonical
from ledger.proof.jws import decode_base64url
from ledger.proof.sdjwt import Disclosed, disclosure_digest
from tests.support.machine.file_contents import contents

PLACE = "GUESS"
_HEX = re.compile(rb"(?:[0-9a-fA-F]{2}){32,}")
_BASE64URL = re.compile(rb"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])")

# A method that computes a digest from a guess, such as an ID number.
Construction = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Sent:
    """A provider's HTTP request. In ``body``, ``PLACE`` stands where the disclosure of the identifier was; the salt and
    the name are those of this disclosure.
    """

    body: dict[str, Any]
    claim: tuple[str, str]


class Insider:
    """The contents of ``home``: plaintexts, keys, salts, and all 32-byte values that may be digests."""

    def __init__(self, home: Path) -> None:
        keys = {path.stem: bytes.fromhex(text.decode()) for path, text in contents(home / "keys", "*.key").items()}
        self.lookup_key = keys["lookup"]
        self._keks = [key for name, key in keys.items() if name.startswith("kek-")]
        with sqlite3.connect(home / "ledger.db") as database:
            self.texts = list(self._opened(database))
            content = _dumped(database)
        content += contents(home).values()
        opened = (bytes.fromhex(text) for text in _strings(self.texts) if re.fullmatch("[0-9a-f]{64}", text))
        self.secrets = {*keys.values(), *opened}
        self.digests = set(_digests(content))

    def _opened(self, database: sqlite3.Connection) -> Iterator[Any]:
        rows = database.execute("SELECT id, wrapped_key, nonce, ciphertext FROM sealed WHERE wrapped_key IS NOT NULL")
        for record, wrapped, nonce, ciphertext in rows:
            for kek in self._keks:
                try:
                    data_key = aes_key_unwrap(kek, wrapped)
                except InvalidUnwrap:
                    continue
                yield json.loads(AESGCM(data_key).decrypt(nonce, ciphertext, record.encode()))

    def reads(self, needle: str) -> bool:
        """Return whether any opened plaintext contains the given words."""
        return any(needle in text for text in _strings(self.texts))

    def disclosures(self) -> list[tuple[str, str]]:
        """Return salt and name of every claim in certificates and provisions that the insider can decrypt."""
        lists = [
            text["disclosures"] if isinstance(text, dict) and "disclosures" in text else text for text in self.texts
        ]
        encoded = {item for each in lists if isinstance(each, list) for item in each}
        return [(salt, name) for salt, name, _ in (json.loads(decode_base64url(item, None)) for item in encoded)]

    def salts(self) -> list[str]:
        """Return the salt of every sealed text that has one and that the insider can decrypt. If the ledger stored the
        salts of providers' rows, they would be among them.
        """
        return [text["salt"] for text in self.texts if isinstance(text, dict) and isinstance(text.get("salt"), str)]

    def constructions(self, kind: str, rows: list[dict[str, str]], sent: Sent) -> dict[str, list[Construction]]:
        """Return every way in which the system computes a digest of an identifier, with all known keys and
        salts.

        ``rows`` are a provider's rows with ``PLACE`` instead of the identifier; ``sent`` is its request over HTTP.
        """
        request, salts = canonical(sent.body), self.salts()
        return {
            "plain digest": [_digest_of(text) for text in (PLACE.encode(), canonical(rows), request)],
            "lookup": [_keyed(key, b"party|" + PLACE.encode()) for key in (self.lookup_key, *self._keks)],
            "party id": [_keyed(key, f"pingzheng/party/v1|{kind}|{PLACE}".encode()) for key in self.secrets],
            "claim": [_disclosed(salt, name) for salt, name in self.disclosures()],
            "rows": [_digest_of(canonical({"salt": salt, "rows": rows})) for salt in salts],
            "request": [_requested(self.lookup_key, b"request|" + request, *sent.claim)],
        }

    def claims(self, values: Mapping[str, Iterable[object]]) -> list[tuple[str, object]]:
        """Return the (name, value) pairs whose claim digest, with any known salt, is in a certificate."""
        salts = {salt for salt, _ in self.disclosures()} | set(self.salts())
        guesses = [(name, value) for name, possible in values.items() for value in possible]
        return [
            (name, value)
            for salt in salts
            for name, value in guesses
            if decode_base64url(disclosure_digest(Disclosed(salt, name, value).encoded), None) in self.digests
        ]

    def confirmed(self, guesses: Iterable[str], constructions: dict[str, list[Construction]]) -> dict[str, set[str]]:
        """Return each guess for which a construction gives a known digest, with the names of these constructions."""
        tries = [(name, make) for name, all_of in constructions.items() for make in all_of]
        found: dict[str, set[str]] = {}
        for guess in guesses:
            encoded = guess.encode()
            for name, make in tries:
                if make(encoded) in self.digests:
                    found.setdefault(guess, set()).add(name)
        return found


def _digest_of(text: bytes) -> Construction:
    before, _, after = text.partition(PLACE.encode())
    begun = hashlib.sha256(before)

    def make(guess: bytes) -> bytes:
        digest = begun.copy()
        digest.update(guess + after)
        return digest.digest()

    return make


def _keyed(key: bytes, text: bytes) -> Construction:
    before, _, after = text.partition(PLACE.encode())
    return lambda guess: hmac.digest(key, before + guess + after, "sha256")


def _encoded(salt: str, name: str) -> Construction:
    before, _, after = canonical([salt, name, PLACE]).partition(PLACE.encode())
    return lambda guess: base64.urlsafe_b64encode(before + guess + after).rstrip(b"=")


def _disclosed(salt: str, name: str) -> Construction:
    encoded = _encoded(salt, name)
    return lambda guess: hashlib.sha256(encoded(guess)).digest()


def _requested(key: bytes, text: bytes, salt: str, name: str) -> Construction:
    before, _, after = text.partition(PLACE.encode())
    encoded = _encoded(salt, name)
    return lambda guess: hmac.digest(key, before + encoded(guess) + after, "sha256")


def _dumped(database: sqlite3.Connection) -> list[bytes]:
    """Return every value of every table. They are read with SQL, because the file may store a long value in parts."""
    tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    rows = (row for table in tables for row in database.execute(f'SELECT * FROM "{table}"'))
    return [value if isinstance(value, bytes) else str(value).encode() for row in rows for value in row]


def _digests(content: Iterable[bytes]) -> Iterator[bytes]:
    for text in content:
        for run in _HEX.findall(text):
            raw = bytes.fromhex(run.decode())
            yield from (raw[start : start + 32] for start in range(len(raw) - 31))
        yield from (base64.urlsafe_b64decode(found + b"=") for found in _BASE64URL.findall(text))


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (text for item in value.values() for text in _strings(item))
    elif isinstance(value, list):
        yield from (text for item in value for text in _strings(item))
