"""The append-only log: entries with gapless numbers, and the batches that the chain anchors."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from ledger.domain.canonical import canonical, read_stored
from ledger.domain.digests import hex_of
from ledger.domain.entries import statement_digest
from ledger.errors import NotFound
from ledger.proof.merkle import leaf_hash, root
from ledger.store.counters import take
from ledger.store.sets import add_rows, matching
from ledger.store.tables import Batch, Entry

ENTRY_SEQ: Final = "entry_seq"
BATCH_NUMBER: Final = "batch_number"


@dataclass(frozen=True, slots=True)
class NewEntry:
    """An entry to append: the entry's type, canonical JSON (``body``) and statement digest (protocol §2, hex).

    If the entry is a withdrawal, ``about`` is the digest of the withdrawn statement; otherwise ``about`` is None.
    """

    type: str
    body: bytes
    digest: str
    about: str | None

    @classmethod
    def of(cls, entry: Mapping[str, Any], digest: str | None = None) -> NewEntry:
        """Return the entry to append; ``digest`` is its statement digest if the caller knows it already."""
        body = canonical(entry)
        return cls(entry["type"], body, digest or _digest(entry, body), _about(entry))

    @classmethod
    def stored(cls, body: bytes) -> NewEntry:
        """Return the entry to append, with exactly these bytes as its body. Nothing is checked."""
        entry = read_stored(body)
        return cls(entry["type"], body, statement_digest(entry), _about(entry))

    @property
    def leaf(self) -> bytes:
        """The leaf hash (RFC 9162 §2.1.1)."""
        return leaf_hash(self.body)


def _digest(entry: Mapping[str, Any], body: bytes) -> str:
    # The statement of an entry without a signature is the whole entry.
    return statement_digest(entry) if "signature" in entry else hashlib.sha256(body).hexdigest()


def _about(entry: Mapping[str, Any]) -> str | None:
    return hex_of(entry["statement"]) if entry["type"] == "withdrawal" else None


@dataclass(frozen=True, slots=True)
class Pending:
    """The number of entries without a batch, and the time of the oldest one (seconds UTC)."""

    count: int
    oldest: int | None


def append(session: Session, entries: Sequence[NewEntry], at: int) -> list[int]:
    """Append entries in this order, in the caller's transaction, and return their sequence numbers."""
    if not entries:
        return []
    first = take(session, ENTRY_SEQ, len(entries))
    numbers = [first + i for i in range(len(entries))]
    add_rows(session, Entry, [_row(number, entry, at) for number, entry in zip(numbers, entries, strict=True)])
    return numbers


def append_new(session: Session, entries: Iterable[NewEntry], at: int) -> None:
    """Append those entries that the log does not have yet, in the given order. An entry that is given twice is appended
    once.
    """
    by_digest = {entry.digest: entry for entry in entries}
    known = {row.digest for row in matching(session, select(Entry.digest), Entry.digest, by_digest)}
    append(session, [entry for digest, entry in by_digest.items() if digest not in known], at)


def append_numbered(
    session: Session, states: Sequence[Callable[[int], Mapping[str, Any]]], at: int
) -> list[tuple[Mapping[str, Any], NewEntry]]:
    """Append entries that contain their own sequence numbers. Return each entry as a JSON object and as a ``NewEntry``.

    Each function in ``states`` takes the sequence number of an entry and returns the entry.
    """
    first = take(session, ENTRY_SEQ, len(states))
    stated = [state(number) for number, state in enumerate(states, start=first)]
    entries = [NewEntry.of(each) for each in stated]
    add_rows(session, Entry, [_row(number, entry, at) for number, entry in enumerate(entries, start=first)])
    return list(zip(stated, entries, strict=True))


def _row(seq: int, entry: NewEntry, at: int) -> dict[str, Any]:
    return {
        "seq": seq,
        "type": entry.type,
        "leaf": entry.leaf.hex(),
        "digest": entry.digest,
        "about": entry.about,
        "body": entry.body,
        "created_at": at,
    }


def pending(session: Session) -> Pending:
    """Return how many entries are not in a batch yet, and the time (seconds UTC) of the oldest of these entries."""
    count, oldest = session.execute(select(func.count(), func.min(Entry.created_at)).where(Entry.batch.is_(None))).one()
    return Pending(count, oldest)


def close_batch(session: Session, limit: int, at: int) -> Batch | None:
    """Put the oldest waiting entries, at most ``limit``, into a new batch, and return the batch; None if no
    entry waits.
    """
    connection = session.connection()
    waiting = connection.execute(
        select(Entry.seq, Entry.leaf).where(Entry.batch.is_(None)).order_by(Entry.seq).limit(limit)
    ).all()
    if not waiting:
        return None
    batch = Batch(
        number=take(session, BATCH_NUMBER, 1),
        first_seq=waiting[0].seq,
        size=len(waiting),
        root=root([bytes.fromhex(row.leaf) for row in waiting]).hex(),
        state="closed",
        closed_at=at,
    )
    session.add(batch)
    session.flush()
    last = waiting[-1].seq
    connection.execute(update(Entry).where(Entry.seq.between(batch.first_seq, last)).values(batch=batch.number))
    return batch


def unanchored(session: Session) -> list[Batch]:
    """Return the closed batches that are not recorded as anchored, in order."""
    return list(session.scalars(select(Batch).where(Batch.state == "closed").order_by(Batch.number)))


def batch(session: Session, number: int) -> Batch:
    """Return the batch with this number; raises ``NotFound`` ``BATCH_UNKNOWN`` if there is none."""
    row = session.get(Batch, number)
    if row is None:
        raise NotFound(
            "BATCH_UNKNOWN",
            f"The log has no batch {number}.",
            hint="`pingzheng log head` shows how many batches there are.",
        )
    return row


def leaves(session: Session, batch: Batch) -> list[bytes]:
    """Return the leaf hashes of a batch, in order."""
    last = batch.first_seq + batch.size - 1
    found = session.scalars(select(Entry.leaf).where(Entry.seq.between(batch.first_seq, last)).order_by(Entry.seq))
    return [bytes.fromhex(leaf) for leaf in found]


def entries_by_digest(session: Session, wanted: Iterable[str]) -> dict[str, Entry]:
    """Return entries by statement digest (hex); raises ``NotFound`` ``ENTRY_UNKNOWN`` if one is missing."""
    asked = set(wanted)
    found = {row[0].digest: row[0] for row in matching(session, select(Entry), Entry.digest, asked)}
    _require_all(asked, found)
    return found


def _require_all(asked: set[str], found: Mapping[str, object]) -> None:
    if missing := asked - found.keys():
        raise NotFound("ENTRY_UNKNOWN", f"The log has no entry with the statement digest {min(missing)}.")


def withdrawals_of(session: Session, statements: Iterable[str]) -> list[Entry]:
    """Return the earliest withdrawal entry for each of these statements (digests in hex), in the order of the log."""
    found = sorted((row[0] for row in matching(session, select(Entry), Entry.about, statements)), key=_newest_first)
    earliest = {row.about: row for row in found}
    return sorted(earliest.values(), key=lambda row: row.seq)


def _newest_first(entry: Entry) -> int:
    return -entry.seq


def statement(session: Session, digest: str) -> dict[str, Any]:
    """Return the entry with this statement digest (hex), parsed; raises what ``statements`` raises."""
    return statements(session, [digest])[digest]


def statements(session: Session, wanted: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return entries, parsed, by statement digest (hex); raises ``NotFound`` ``ENTRY_UNKNOWN`` if one is missing."""
    asked = set(wanted)
    rows = matching(session, select(Entry.digest, Entry.body), Entry.digest, asked)
    found = {row.digest: read_stored(row.body) for row in rows}
    _require_all(asked, found)
    return found


def last_seq_anchored(session: Session) -> int:
    """Return the highest sequence number that is recorded as anchored; −1 if there is none."""
    row = session.execute(
        select(Batch.first_seq + Batch.size - 1).where(Batch.state != "closed").order_by(Batch.number.desc()).limit(1)
    ).scalar_one_or_none()
    return -1 if row is None else int(row)
