"""The append-only log: entries with gapless numbers, and the batches that the chain anchors."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from ledger.domain.canonical import canonical
from ledger.domain.digests import hex_of
from ledger.domain.entries import statement_digest
from ledger.errors import NotFound
from ledger.proof.merkle import leaf_hash, root
from ledger.store.counters import take
from ledger.store.tables import Batch, Entry

ENTRY_SEQ: Final = "entry_seq"
BATCH_NUMBER: Final = "batch_number"


@dataclass(frozen=True)
class NewEntry:
    """An entry to append: its type, and its canonical JSON as ``body``."""

    type: str
    body: bytes

    @cached_property
    def leaf(self) -> bytes:
        """The leaf hash (RFC 9162 §2.1.1)."""
        return leaf_hash(self.body)

    @cached_property
    def digest(self) -> str:
        """The statement digest (protocol §2), 64 hex digits."""
        return statement_digest(json.loads(self.body))


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
    session.execute(insert(Entry), [_row(number, entry, at) for number, entry in zip(numbers, entries, strict=True)])
    return numbers


def append_numbered(session: Session, type_: str, state: Callable[[int], Mapping[str, Any]], at: int) -> NewEntry:
    """Append an entry that contains its own sequence number; ``state`` takes the number and returns the entry."""
    number = take(session, ENTRY_SEQ, 1)
    entry = NewEntry(type_, canonical(state(number)))
    session.execute(insert(Entry), [_row(number, entry, at)])
    return entry


def _row(seq: int, entry: NewEntry, at: int) -> dict[str, Any]:
    stated = json.loads(entry.body)
    return {
        "seq": seq,
        "type": entry.type,
        "leaf": entry.leaf.hex(),
        "digest": statement_digest(stated),
        "about": hex_of(stated["statement"]) if entry.type == "withdrawal" else None,
        "body": entry.body,
        "created_at": at,
    }


def pending(session: Session) -> Pending:
    """Return how many entries are not in a batch yet, and the time (seconds UTC) of the oldest of these entries."""
    count, oldest = session.execute(select(func.count(), func.min(Entry.created_at)).where(Entry.batch.is_(None))).one()
    return Pending(count, oldest)


def close_batch(session: Session, limit: int, at: int) -> Batch | None:
    """Put the oldest waiting entries, at most ``limit``, into a new batch and return it; None if no entry waits."""
    waiting = session.execute(
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
    session.execute(update(Entry).where(Entry.seq.between(batch.first_seq, last)).values(batch=batch.number))
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
    found = {row.digest: row for row in session.scalars(select(Entry).where(Entry.digest.in_(asked)))}
    if missing := asked - found.keys():
        raise NotFound("ENTRY_UNKNOWN", f"The log has no entry with the statement digest {min(missing)}.")
    return found


def withdrawals_of(session: Session, statements: Iterable[str]) -> list[Entry]:
    """Return the earliest withdrawal entry for each of these statements (digests in hex), in the order of the log."""
    query = select(Entry).where(Entry.about.in_(set(statements))).order_by(Entry.seq.desc())
    earliest = {row.about: row for row in session.scalars(query)}
    return sorted(earliest.values(), key=lambda row: row.seq)


def statement(session: Session, digest: str) -> dict[str, Any]:
    """Return the entry with this statement digest (hex), parsed."""
    body = entries_by_digest(session, [digest])[digest].body
    parsed: dict[str, Any] = json.loads(body)
    return parsed


def last_seq_anchored(session: Session) -> int:
    """Return the highest sequence number that is recorded as anchored; −1 if there is none."""
    row = session.execute(
        select(Batch.first_seq + Batch.size - 1).where(Batch.state != "closed").order_by(Batch.number.desc()).limit(1)
    ).scalar_one_or_none()
    return -1 if row is None else int(row)
