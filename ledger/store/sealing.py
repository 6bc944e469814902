"""Sealed texts: AES-256-GCM with one data key for each record; a key-encryption key wraps the data key.

Destroying the wrapped data key erases the text permanently; all proofs stay valid. A key rotation wraps the data key
with another key-encryption key and does not change nonce and ciphertext.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import ColumnElement, LargeBinary, Row, func, select, type_coerce, update
from sqlalchemy.orm import Session
from ulid import ULID

from ledger.domain.canonical import canonical, parse_json
from ledger.domain.findings import Finding
from ledger.errors import Conflict, Misconfigured, NotFound
from ledger.store.sets import add_rows, matching
from ledger.store.tables import Base, Sealed

MAX_SEALED_BYTES = 16 * 1024 * 1024
CLOSED: Final = "closed:"
LOST: Final = "lost"


class KeyProvider(Protocol):
    """Wraps and unwraps data keys; key-encryption keys never leave the provider.

    ``privacy.key_providers`` has providers for key files and environment variables. For a key management service, write
    a class with these four members that calls the service's wrap and unwrap, and give an object of this class to
    ``wiring.open_ledger(settings, keys=…)``. The methods are called within database transactions, once for each record,
    so they should answer in milliseconds. A method that cannot answer must raise ``Misconfigured``.
    """

    @property
    def current(self) -> str:
        """The id of the key that wraps new records, at most 64 characters.

        The sealer reads the id again for every record.
        """

    def wrap(self, data_key: bytes, key_id: str) -> bytes:
        """Wrap a data key (32 bytes) with the key of this id; raises ``Misconfigured`` if the key is missing."""

    def unwrap(self, wrapped: bytes, key_id: str) -> bytes:
        """Return the data key; raises ``Misconfigured`` if the key is missing, or another key wrapped the data key."""

    def renew(self, to: str | None) -> str:
        """Create a key with the id ``to``, use it for new records, and return its id.

        A provider whose keys are created elsewhere returns the current key's id.
        """


SealedRow = Sealed | Row[Any]


@dataclass(frozen=True, slots=True)
class SealedCounts:
    """How many records each key-encryption key wraps (a map from key id to number), and how many records are erased."""

    by_key: dict[str, int]
    erased: int


@dataclass(frozen=True, slots=True)
class NewText:
    """An encrypted text that is not stored yet, with the data key that encrypts it."""

    id: str
    data_key: bytes = field(repr=False)
    nonce: bytes
    ciphertext: bytes


def encrypted(text: bytes) -> NewText:
    """Encrypt a text (canonical JSON) with a new data key; ``Sealer.add_all`` stores it in a transaction."""
    record_id, nonce, data_key = str(ULID()), secrets.token_bytes(12), AESGCM.generate_key(256)
    return NewText(record_id, data_key, nonce, AESGCM(data_key).encrypt(nonce, text, record_id.encode()))


class Sealer:
    """Encrypts (seals) and decrypts (opens) JSON values. The encryption authenticates the record's id together with the
    text.
    """

    def __init__(self, keys: KeyProvider) -> None:
        self.keys = keys

    def seal(self, session: Session, value: object) -> str:
        """Store the sealed value and return the record's id."""
        return self.seal_all(session, [value])[0]

    def seal_all(self, session: Session, values: Iterable[object]) -> list[str]:
        """Store each value sealed, each with its own data key, and return the records' ids in the same order."""
        return self.add_all(session, [encrypted(canonical(value)) for value in values])

    def add_all(self, session: Session, texts: Iterable[NewText]) -> list[str]:
        """Wrap the data keys of encrypted texts, store the texts, and return the records' ids in the same order."""
        # Take the write lock before reading the current key. Otherwise a whole key rotation could run in between, and
        # the new records would still use the old key.
        session.connection()
        key_id = self.keys.current
        rows: list[dict[str, Any]] = [
            {
                "id": text.id,
                "key_id": key_id,
                "wrapped_key": self.keys.wrap(text.data_key, key_id),
                "nonce": text.nonce,
                "ciphertext": text.ciphertext,
            }
            for text in texts
        ]
        add_rows(session, Sealed, rows)
        return [row["id"] for row in rows]

    def open(self, session: Session, record_id: str) -> object:
        """Return the value.

        Raises ``NotFound`` ``SEALED_ERASED`` if the data key was destroyed, ``SEALED_LOST`` if no backup had the text;
        ``Conflict`` ``SEALED_CLOSED`` until the erasures after a restore are confirmed; ``Misconfigured`` if the data
        key cannot be unwrapped or does not open the text.
        """
        return self.open_all(session, [record_id])[record_id]

    def open_all(self, session: Session, record_ids: Iterable[str]) -> dict[str, Any]:
        """Return the values of records by record id; raises what ``open`` raises for the first record that fails."""
        wanted = list(dict.fromkeys(record_ids))
        columns = (Sealed.id, Sealed.key_id, Sealed.wrapped_key, Sealed.nonce, Sealed.ciphertext)
        rows = {row.id: row for row in matching(session, select(*columns), Sealed.id, wanted)}
        return {record_id: self._open(rows[record_id]) for record_id in wanted}

    def require_readable(self, session: Session, record_ids: Iterable[str]) -> None:
        """Raise ``NotFound`` or ``Conflict``, as ``open`` does, if one of these texts was erased or lost, or is closed
        after a restore.

        Nothing is decrypted.
        """
        unreadable = select(Sealed).where(Sealed.wrapped_key.is_(None) | _IS_CLOSED)
        for row in matching(session, unreadable, Sealed.id, record_ids):
            _require_readable(row[0])

    def _open(self, row: SealedRow) -> object:
        _require_readable(row)
        return self._opened(row, row.key_id)

    def open_object(self, session: Session, record_id: str) -> dict[str, Any]:
        """Return the value of a record that was sealed as an object; raises what ``open`` raises."""
        value = self.open(session, record_id)
        if not isinstance(value, dict):
            raise TypeError("the sealed value is not an object")
        return value

    def open_list(self, session: Session, record_id: str) -> list[Any]:
        """Return the value of a record that was sealed as a list; raises what ``open`` raises."""
        value = self.open(session, record_id)
        if not isinstance(value, list):
            raise TypeError("the sealed value is not a list")
        return value

    def open_with(self, session: Session, record_id: str, key_id: str) -> object:
        """Return the value of a record that is not erased, even if the record is closed (unreadable since a restore),
        to test a key.

        Raises ``Misconfigured`` if the key is missing or does not open the record.
        """
        row = session.execute(select(Sealed).where(Sealed.id == record_id)).scalar_one()
        return self._opened(row, key_id)

    def _opened(self, row: SealedRow, key_id: str) -> object:
        data_key = self.keys.unwrap(row.wrapped_key or b"", key_id)
        try:
            text = AESGCM(data_key).decrypt(row.nonce, row.ciphertext, row.id.encode())
        except InvalidTag as error:
            raise Misconfigured(
                "SEALED_DAMAGED",
                "The sealed text of this record was changed.",
                where=f"sealed record {row.id}",
                hint="Another program changed the database: restore it from a backup.",
            ) from error
        return parse_json(text, max_bytes=MAX_SEALED_BYTES)

    def erase(self, session: Session, record_id: str) -> None:
        """Destroy the data key and the ciphertext of a record."""
        session.execute(update(Sealed).where(Sealed.id == record_id).values(wrapped_key=None, ciphertext=b""))

    def kept(self, session: Session, record_ids: Iterable[str]) -> set[str]:
        """Return the ids of the given records that are not erased."""
        query = select(Sealed.id).where(Sealed.id.in_(list(record_ids)), Sealed.wrapped_key.is_not(None))
        return set(session.scalars(query))

    def rewrap(self, session: Session, after: str, limit: int) -> list[str]:
        """Find the next ``limit`` records after the id ``after`` that another key wraps, and wrap them with the current
        key.

        Returns their ids, in order.
        """
        current = self.keys.current
        query = (
            select(Sealed.id, Sealed.key_id, type_coerce(Sealed.wrapped_key, LargeBinary))
            .where(Sealed.id > after, outdated(current))
            .order_by(Sealed.id)
            .limit(limit)
            # On PostgreSQL, row locks prevent an erasure between reading and writing.
            .with_for_update()
        )
        rows = session.execute(query).all()
        for record_id, key_id, wrapped in rows:
            plain = key_id.removeprefix(CLOSED)
            again = self.keys.wrap(self.keys.unwrap(wrapped, plain), current)
            named = current if plain == key_id else CLOSED + current
            session.execute(update(Sealed).where(Sealed.id == record_id).values(key_id=named, wrapped_key=again))
        return [record_id for record_id, _, _ in rows]

    def counts(self, session: Session) -> SealedCounts:
        """Return how many records each key wraps, and how many records are erased."""
        kept = Sealed.wrapped_key.is_not(None)
        by_key = wrapped_by(session)
        gone = ~kept, Sealed.key_id != LOST
        erased = session.execute(select(func.count()).select_from(Sealed).where(*gone)).scalar_one()
        return SealedCounts(by_key, erased)


def wrapped_by(session: Session) -> dict[str, int]:
    """Return how many texts each key-encryption key wraps (a map from key id to number); the texts that are unreadable
    since a restore are counted too.
    """
    query = select(Sealed.key_id, func.count()).where(Sealed.wrapped_key.is_not(None)).group_by(Sealed.key_id)
    found: dict[str, int] = {}
    for key_id, count in session.execute(query.order_by(Sealed.key_id)):
        plain = key_id.removeprefix(CLOSED)
        found[plain] = found.get(plain, 0) + count
    return dict(sorted(found.items()))


def outdated(current: str) -> ColumnElement[bool]:
    """Return the SQL condition for a record that is not erased and is wrapped by another key than ``current``."""
    return Sealed.wrapped_key.is_not(None) & Sealed.key_id.not_in((current, CLOSED + current))


def seal_nothing(session: Session, *, erased: bool = False) -> str:
    """Add a record without text (no backup has the text, or it was ``erased``), and return the record's id."""
    record_id = str(ULID())
    session.add(Sealed(id=record_id, key_id="" if erased else LOST, wrapped_key=None, nonce=b"", ciphertext=b""))
    session.flush()
    return record_id


def close_all(session: Session) -> int:
    """Close all texts that are stored at present, and return how many this call closed. A closed text cannot be read.

    ``reopen_all`` opens the texts again. Texts that are sealed later are not closed.
    """
    kept = Sealed.wrapped_key.is_not(None), ~_IS_CLOSED
    changed = session.connection().execute(update(Sealed).where(*kept).values(key_id=CLOSED + Sealed.key_id))
    return changed.rowcount


def close(session: Session, record_id: str) -> None:
    """Make one text unreadable until ``reopen_all`` is called."""
    row = session.get_one(Sealed, record_id)
    row.key_id = CLOSED + row.key_id
    session.flush()


def reopen_all(session: Session) -> int:
    """Make all closed texts readable again, and return how many there were."""
    count = closed(session)
    plain = func.substr(Sealed.key_id, len(CLOSED) + 1)
    session.connection().execute(update(Sealed).where(_IS_CLOSED).values(key_id=plain))
    return count


def closed(session: Session) -> int:
    """Return how many texts are closed (unreadable since a restore); erased texts are not counted."""
    kept = _IS_CLOSED, Sealed.wrapped_key.is_not(None)
    return session.execute(select(func.count()).select_from(Sealed).where(*kept)).scalar_one()


def closed_texts(session: Session) -> Finding | None:
    """Return the finding that some texts are unreadable since a restore, or None if all texts are readable."""
    count = closed(session)
    if not count:
        return None
    return Finding(
        "SEALED_CLOSED",
        f"{count} texts from a backup cannot be read yet: they may have been erased after the backup.",
        "sealing",
        "Confirm the erasures: `pingzheng restore confirm-erasures`.",
        {"closed": count},
    )


_IS_CLOSED: Final = Sealed.key_id.startswith(CLOSED)


def _require_readable(row: SealedRow) -> None:
    if row.wrapped_key is None:
        raise _lost(row.id) if row.key_id == LOST else text_erased(f"sealed record {row.id}")
    if row.key_id.startswith(CLOSED):
        raise _closed(row.id)


def text_erased(where: str) -> NotFound:
    """Return the error for an erased text."""
    return NotFound(
        "SEALED_ERASED",
        "The sealed text was erased; its proofs stay valid.",
        where=where,
        hint="此处已依法删除，请向持有人索取原件。 Ask the holder: the text is no longer stored here.",
    )


def _closed(record_id: str) -> Conflict:
    return Conflict(
        "SEALED_CLOSED",
        "The text from a backup cannot be read yet: it may have been erased after the backup.",
        where=f"sealed record {record_id}",
        hint="Confirm the erasures: `pingzheng restore confirm-erasures`.",
    )


def _lost(record_id: str) -> NotFound:
    return NotFound(
        "SEALED_LOST",
        "The text was lost: neither a backup nor an archive contains it.",
        where=f"sealed record {record_id}",
        hint="Ask the holder or the party for the text.",
    )


def texts_erased_with(session: Session, parties: Sequence[str]) -> list[str]:
    """Return the ids of the sealed texts that, as the tables declare, are erased together with these parties (ids)."""
    found: set[str | None] = set()
    for table in Base.metadata.tables.values():
        if column := table.info["erased_with"]:
            found |= set(session.scalars(select(table.c.sealed_id).where(table.c[column].in_(parties))))
    return sorted(each for each in found if each is not None)
