"""Sealed payloads: AES-256-GCM under a data key per record, itself wrapped by a key-encryption key.

Destroying the wrapped data key erases the text for good; every proof over the rest stays valid.
"""

from __future__ import annotations

import secrets
from typing import Protocol

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap, aes_key_wrap
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from ulid import ULID

from ledger.domain.canonical import canonical, parse_json
from ledger.errors import NotFound
from ledger.store.tables import Sealed

MAX_SEALED_BYTES = 16 * 1024 * 1024


class KeyProvider(Protocol):
    """Holds key-encryption keys: a file here, a key management service elsewhere."""

    @property
    def current(self) -> str:
        """Id of the key that wraps new records."""

    def key(self, key_id: str) -> bytes:
        """The 32-byte key with that id; raises ``Misconfigured`` if it is not held."""


class Sealer:
    """Seals and opens JSON values; the record's id is authenticated with the text."""

    def __init__(self, keys: KeyProvider) -> None:
        self._keys = keys

    def seal(self, session: Session, value: object) -> str:
        """Store ``value`` sealed and return the record's id."""
        record_id = str(ULID())
        data_key, nonce = AESGCM.generate_key(256), secrets.token_bytes(12)
        key_id = self._keys.current
        session.add(
            Sealed(
                id=record_id,
                key_id=key_id,
                wrapped_key=aes_key_wrap(self._keys.key(key_id), data_key),
                nonce=nonce,
                ciphertext=AESGCM(data_key).encrypt(nonce, canonical(value), record_id.encode()),
            )
        )
        session.flush()
        return record_id

    def open(self, session: Session, record_id: str) -> object:
        """The value; raises ``NotFound`` ``SEALED_ERASED`` when its data key has been destroyed."""
        row = session.execute(select(Sealed).where(Sealed.id == record_id)).scalar_one()
        if row.wrapped_key is None:
            raise NotFound(
                "SEALED_ERASED",
                "The sealed text was erased; only its proofs remain.",
                where=f"sealed record {record_id}",
                hint="Ask the holder for the certificate: it is not kept here any more.",
            )
        data_key = aes_key_unwrap(self._keys.key(row.key_id), row.wrapped_key)
        text = AESGCM(data_key).decrypt(row.nonce, row.ciphertext, record_id.encode())
        return parse_json(text, max_bytes=MAX_SEALED_BYTES)

    def erase(self, session: Session, record_id: str) -> None:
        """Destroy the data key of a record."""
        session.execute(update(Sealed).where(Sealed.id == record_id).values(wrapped_key=None, ciphertext=b""))
