"""Sealed payloads: AES-256-GCM under a data key per record, itself wrapped by a key-encryption key.

Destroying the wrapped data key erases the text for good; every proof over the rest stays valid. Wrapping it anew under
another key-encryption key leaves nonce and ciphertext as they are.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import ColumnElement, LargeBinary, func, select, type_coerce, update
from sqlalchemy.orm import Session
from ulid import ULID

from ledger.domain.canonical import canonical, parse_json
from ledger.domain.findings import Finding
from ledger.errors import Conflict, Misconfigured, NotFound
from ledger.store.tables import Sealed

MAX_SEALED_BYTES = 16 * 1024 * 1024
CLOSED: Final = "closed:"
LOST: Final = "lost"


class KeyProvider(Protocol):
    """Wraps and unwraps data keys; a key-encryption key never leaves it.

    Key files and the environment are in ``privacy.key_providers``. A key management service is one more class with
    these four members, calling the service's own wrap and unwrap; give an object of it to
    ``wiring.open_ledger(settings, keys=…)``, which every use case gets its sealer from. It is called within
    database transactions, once per record, so it should answer in milliseconds, and raise ``Misconfigured`` when it
    cannot.
    """

    @property
    def current(self) -> str:
        """Id of the key that wraps new records, at most 64 characters; asked anew for every record."""

    def wrap(self, data_key: bytes, key_id: str) -> bytes:
        """The data key (32 bytes) wrapped under the key with that id; raises ``Misconfigured`` if it is not held."""

    def unwrap(self, wrapped: bytes, key_id: str) -> bytes:
        """The data key again; raises ``Misconfigured`` if the key is not held, or is not the one that wrapped it."""

    def renew(self, to: str | None) -> str:
        """Make a new key current, named ``to``, and return its id.

        Where keys are made elsewhere: the id of the current one.
        """


@dataclass(frozen=True, slots=True)
class SealedCounts:
    """How many records each key-encryption key wraps, by key id, and how many were erased."""

    by_key: dict[str, int]
    erased: int


class Sealer:
    """Seals and opens JSON values; the record's id is authenticated with the text."""

    def __init__(self, keys: KeyProvider) -> None:
        self.keys = keys

    def seal(self, session: Session, value: object) -> str:
        """Store ``value`` sealed and return the record's id."""
        # The write lock first, which SQLAlchemy takes with the first statement: else a rotation could run to its end
        # between asking for the key and writing, and leave this record to the old key.
        session.connection()
        record_id = str(ULID())
        data_key, nonce = AESGCM.generate_key(256), secrets.token_bytes(12)
        key_id = self.keys.current
        session.add(
            Sealed(
                id=record_id,
                key_id=key_id,
                wrapped_key=self.keys.wrap(data_key, key_id),
                nonce=nonce,
                ciphertext=AESGCM(data_key).encrypt(nonce, canonical(value), record_id.encode()),
            )
        )
        session.flush()
        return record_id

    def open(self, session: Session, record_id: str) -> object:
        """The value.

        Raises ``NotFound`` ``SEALED_ERASED`` when its data key has been destroyed, ``SEALED_LOST`` when no backup had
        it; ``Conflict`` ``SEALED_CLOSED`` until the erasures after a restore are confirmed; ``Misconfigured`` when it
        cannot be unwrapped or does not open the text.
        """
        row = session.execute(select(Sealed).where(Sealed.id == record_id)).scalar_one()
        if row.wrapped_key is None:
            if row.key_id == LOST:
                raise _lost(record_id)
            raise NotFound(
                "SEALED_ERASED",
                "The sealed text was erased; only its proofs remain.",
                where=f"sealed record {record_id}",
                hint="此处已依法删除，请向持有人索取原件。 Ask the holder for it: it is not kept here any more.",
            )
        if row.key_id.startswith(CLOSED):
            raise _closed(record_id)
        return self._opened(row, row.key_id)

    def open_object(self, session: Session, record_id: str) -> dict[str, Any]:
        """The value of a record that was sealed as an object; raises as ``open``."""
        value = self.open(session, record_id)
        if not isinstance(value, dict):
            raise TypeError("what was sealed is no object")
        return value

    def open_list(self, session: Session, record_id: str) -> list[Any]:
        """The value of a record that was sealed as a list; raises as ``open``."""
        value = self.open(session, record_id)
        if not isinstance(value, list):
            raise TypeError("what was sealed is no list")
        return value

    def open_with(self, session: Session, record_id: str, key_id: str) -> object:
        """The value of a record that is kept, a closed one too, to try a key; raises ``Misconfigured``."""
        row = session.execute(select(Sealed).where(Sealed.id == record_id)).scalar_one()
        return self._opened(row, key_id)

    def _opened(self, row: Sealed, key_id: str) -> object:
        data_key = self.keys.unwrap(row.wrapped_key or b"", key_id)
        try:
            text = AESGCM(data_key).decrypt(row.nonce, row.ciphertext, row.id.encode())
        except InvalidTag as error:
            raise Misconfigured(
                "SEALED_DAMAGED",
                "The sealed text is not what was sealed under this id.",
                where=f"sealed record {row.id}",
                hint="The database was changed by other means: restore it from a backup.",
            ) from error
        return parse_json(text, max_bytes=MAX_SEALED_BYTES)

    def erase(self, session: Session, record_id: str) -> None:
        """Destroy the data key of a record, and its ciphertext."""
        session.execute(update(Sealed).where(Sealed.id == record_id).values(wrapped_key=None, ciphertext=b""))

    def kept(self, session: Session, record_ids: Iterable[str]) -> set[str]:
        """Those of the records that have not been erased."""
        query = select(Sealed.id).where(Sealed.id.in_(list(record_ids)), Sealed.wrapped_key.is_not(None))
        return set(session.scalars(query))

    def rewrap(self, session: Session, after: str, limit: int) -> list[str]:
        """Wrap the next ``limit`` records after that id under the current key, if another one wraps them.

        Returns their ids, in order.
        """
        current = self.keys.current
        query = (
            select(Sealed.id, Sealed.key_id, type_coerce(Sealed.wrapped_key, LargeBinary))
            .where(Sealed.id > after, outdated(current))
            .order_by(Sealed.id)
            .limit(limit)
            # Else an erasure between reading and writing would be undone, where writers do not take turns.
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
        """What is wrapped by which key."""
        kept = Sealed.wrapped_key.is_not(None)
        by_key = wrapped_by(session)
        gone = ~kept, Sealed.key_id != LOST
        erased = session.execute(select(func.count()).select_from(Sealed).where(*gone)).scalar_one()
        return SealedCounts(by_key, erased)


def wrapped_by(session: Session) -> dict[str, int]:
    """How many texts each key-encryption key wraps, closed ones too, by key id."""
    query = select(Sealed.key_id, func.count()).where(Sealed.wrapped_key.is_not(None)).group_by(Sealed.key_id)
    found: dict[str, int] = {}
    for key_id, count in session.execute(query.order_by(Sealed.key_id)):
        plain = key_id.removeprefix(CLOSED)
        found[plain] = found.get(plain, 0) + count
    return dict(sorted(found.items()))


def outdated(current: str) -> ColumnElement[bool]:
    """Whether a record is kept, and wrapped by another key than that one."""
    return Sealed.wrapped_key.is_not(None) & Sealed.key_id.not_in((current, CLOSED + current))


def seal_nothing(session: Session, *, erased: bool = False) -> str:
    """The id of a new record in the place of a text that no backup has, or that was ``erased``."""
    record_id = str(ULID())
    session.add(Sealed(id=record_id, key_id="" if erased else LOST, wrapped_key=None, nonce=b"", ciphertext=b""))
    session.flush()
    return record_id


def close_all(session: Session) -> int:
    """Keep all texts closed until ``reopen_all``; those sealed afterwards open. Returns how many."""
    kept = Sealed.wrapped_key.is_not(None), ~_IS_CLOSED
    changed = session.connection().execute(update(Sealed).where(*kept).values(key_id=CLOSED + Sealed.key_id))
    return changed.rowcount


def close(session: Session, record_id: str) -> None:
    """Keep one text closed too, until ``reopen_all``."""
    row = session.get_one(Sealed, record_id)
    row.key_id = CLOSED + row.key_id
    session.flush()


def reopen_all(session: Session) -> int:
    """Let the closed texts open again; returns how many."""
    count = closed(session)
    plain = func.substr(Sealed.key_id, len(CLOSED) + 1)
    session.connection().execute(update(Sealed).where(_IS_CLOSED).values(key_id=plain))
    return count


def closed(session: Session) -> int:
    """How many texts are closed; those that were erased are not."""
    kept = _IS_CLOSED, Sealed.wrapped_key.is_not(None)
    return session.execute(select(func.count()).select_from(Sealed).where(*kept)).scalar_one()


def closed_texts(session: Session) -> Finding | None:
    """That texts are closed since a restore; None if all of them open."""
    count = closed(session)
    if not count:
        return None
    return Finding(
        "SEALED_CLOSED",
        f"{count} texts are closed: they came back by a restore, and whether they were erased since the backup is not "
        "known.",
        "sealing",
        "Confirm the erasures: `pingzheng restore confirm-erasures`.",
        {"closed": count},
    )


_IS_CLOSED: Final = Sealed.key_id.startswith(CLOSED)


def _closed(record_id: str) -> Conflict:
    return Conflict(
        "SEALED_CLOSED",
        "The text is closed: it came back by a restore, and whether it was erased since the backup is not known.",
        where=f"sealed record {record_id}",
        hint="Confirm the erasures: `pingzheng restore confirm-erasures`.",
    )


def _lost(record_id: str) -> NotFound:
    return NotFound(
        "SEALED_LOST",
        "The text was lost with the database: no backup and no archive had it.",
        where=f"sealed record {record_id}",
        hint="Ask the holder or the party for it.",
    )
