"""Merge the archive into a restored database.

Batches that the backup does not have were archived after the backup. So the rows of these batches are newer, and
replace the backup's rows. Of the batches that the backup has, the archive adds only missing rows. If a text in the
backup needs a wrapping key that is lost, the text's wrapped data key is taken from the archive: there, it may be
wrapped with another wrapping key. A text never changes. So if the archive's text differs, the backup's text is kept.
``reclosing`` then erases again the texts that were erased since the backup.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Table, func, select, update
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import Session

from ledger.certificates.tables import Certificate
from ledger.domain.entries import statement_digest
from ledger.errors import InvalidInput
from ledger.installation.recovery.archive import upserting
from ledger.installation.recovery.closure import DATED, Closure, Row, table_of
from ledger.log.coherence import forked
from ledger.proof.merkle import leaf_hash, root
from ledger.store.erasure_tables import ErasureRecord
from ledger.store.sealing import CLOSED, LOST
from ledger.store.tables import Batch, Counter, Entry, Sealed
from ledger.usage.tables import AccessRequest, Authorization, Provision

_BATCHES_AT_ONCE: Final = 16
_ROWS_AT_ONCE: Final = 5_000
_TEXTS_AT_ONCE: Final = 500
_RECORDS: Final = {
    "request": AccessRequest,
    "authorization": Authorization,
    "provision": Provision,
    "certificate": Certificate,
    "erasure": ErasureRecord,
}


@dataclass(frozen=True, slots=True)
class Texts:
    """Ids of sealed records in the archive. In ``without`` are records that have no text, in ``differing`` records
    whose text differs from the backup's text, and in ``fresh`` records that the backup lacks."""

    without: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)
    fresh: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Merged:
    """The result of the merge: how many batches came from the archive, the numbers of damaged batches that were left
    out, and the number of the archive's newest batch (None: no batch)."""

    batches: int
    damaged: tuple[int, ...]
    newest: int | None = None
    texts: Texts = field(default_factory=Texts)


def merge(archive: Session, restored: Session, held: Callable[[str], bool]) -> Merged:
    """Merge the archive into the database, within the caller's transaction.

    ``held(id)`` returns whether the wrapping key with this id is available. Raises ``Incoherent`` ``LOG_FORKED`` if
    archive and database have different entries with the same number.
    """
    texts = _compared(archive, restored)
    known = set(restored.scalars(select(Batch.number).where(Batch.state != "lost")))
    fresh = [number for number in archive.scalars(select(Batch.number).order_by(Batch.number)) if number not in known]
    bare = _without_rows(archive)
    whole = [
        number for number in fresh if number not in bare and is_whole_batch(archive, archive.get_one(Batch, number))
    ]
    for start in range(0, len(whole), _BATCHES_AT_ONCE):
        numbers = whole[start : start + _BATCHES_AT_ONCE]
        _require_same_entries(archive, restored, numbers)
        closure = Closure(archive)
        closure.add_batches(numbers)
        for table, rows in closure.complete().items():
            kept = insert(table).on_conflict_do_nothing() if table is table_of(Sealed) else upserting(table)
            restored.connection().execute(kept, rows)
    for table, rows in _dated(archive):
        restored.connection().execute(insert(table).on_conflict_do_nothing(), rows)
    for rows in _sealed(archive, "key_id", "wrapped_key"):
        _rewrap(restored, rows, held)
    _raise_counters(restored, dict(archive.execute(select(Counter.name, Counter.value)).all()))
    newest = archive.scalar(select(func.max(Batch.number)))
    return Merged(len(whole), tuple(sorted({*fresh} - {*whole})), newest, texts)


def is_whole_batch(session: Session, batch: Batch) -> bool:
    """Return whether all entries of a batch are present, each matches its leaf, and the leaves match the root."""
    columns = (Entry.seq, Entry.leaf, Entry.digest, Entry.body)
    last = batch.first_seq + batch.size - 1
    rows = session.execute(select(*columns).where(Entry.seq.between(batch.first_seq, last)).order_by(Entry.seq)).all()
    return (
        [row.seq for row in rows] == list(range(batch.first_seq, last + 1))
        and all(_is_whole_entry(row.body, row.leaf, row.digest) for row in rows)
        and root([bytes.fromhex(row.leaf) for row in rows]).hex() == batch.root
    )


def _without_rows(archive: Session) -> set[int | None]:
    """Return the numbers of the batches that are not complete: an entry of such a batch names a row that is not in the
    archive.
    """
    found: set[int | None] = set()
    for kind, declared in _RECORDS.items():
        missing = Entry.digest.not_in(select(table_of(declared).c.digest))
        found |= set(archive.scalars(select(Entry.batch).where(Entry.type == kind, missing).distinct()))
    return found


def _is_whole_entry(body: bytes, leaf: str, digest: str) -> bool:
    try:
        return leaf_hash(body).hex() == leaf and statement_digest(json.loads(body)) == digest
    except (ValueError, TypeError, AttributeError, InvalidInput):
        return False


def _require_same_entries(archive: Session, restored: Session, numbers: Sequence[int]) -> None:
    """Raise ``Incoherent`` ``LOG_FORKED`` if an entry of these batches differs between archive and database."""
    for batch in archive.scalars(select(Batch).where(Batch.number.in_(numbers))):
        within = Entry.seq.between(batch.first_seq, batch.first_seq + batch.size - 1)
        here = dict(restored.execute(select(Entry.seq, Entry.leaf).where(within)).all())
        there = dict(archive.execute(select(Entry.seq, Entry.leaf).where(within)).all())
        if any(there[seq] != leaf for seq, leaf in here.items()):
            raise forked(batch.number).refusal()


def _dated(archive: Session) -> Iterator[tuple[Table, list[Row]]]:
    """Yield all rows of the tables with ``Source.DATED``, even rows that no batch names, and the rows to which they
    refer.
    """
    for table in DATED:
        last: tuple[int, str] | None = (-1, "")
        while last is not None:
            closure = Closure(archive)
            last = closure.add_after(table, last, _ROWS_AT_ONCE)
            yield from closure.complete().items()


def _sealed(archive: Session, *members: str) -> Iterator[list[Row]]:
    columns = [table_of(Sealed).c[name] for name in ("id", *members)]
    after = ""
    while rows := archive.execute(
        select(*columns).where(Sealed.id > after).order_by(Sealed.id).limit(_TEXTS_AT_ONCE)
    ).all():
        yield [dict(row._mapping) for row in rows]
        after = rows[-1].id


def _compared(archive: Session, restored: Session) -> Texts:
    """Compare the archive's texts with the backup's texts; call this before the merge changes any row."""
    found = Texts()
    for rows in _sealed(archive, "key_id", "wrapped_key", "nonce", "ciphertext"):
        query = select(Sealed.id, Sealed.wrapped_key.is_(None), Sealed.nonce, Sealed.ciphertext)
        here = {row[0]: row[1:] for row in restored.execute(query.where(Sealed.id.in_([row["id"] for row in rows])))}
        for row in rows:
            gone, *text = here.get(row["id"], (False, None, None))
            if row["wrapped_key"] is None:
                # LOST or an empty key id means that this record never had a text in the archive, so the text was not
                # erased.
                if row["key_id"] not in (LOST, ""):
                    found.without.append(row["id"])
            elif row["id"] not in here:
                found.fresh.append(row["id"])
            elif not gone and text != [row["nonce"], row["ciphertext"]]:
                found.differing.append(row["id"])
    return found


def _rewrap(restored: Session, rows: Sequence[Row], held: Callable[[str], bool]) -> None:
    """For texts whose wrapping key in the backup is not available, take the wrapped data key from the archive."""
    ids = [row["id"] for row in rows]
    here = dict(restored.execute(select(Sealed.id, Sealed.key_id).where(Sealed.id.in_(ids))).all())
    for row in rows:
        if row["id"] not in here or row["wrapped_key"] is None or row["key_id"] == here[row["id"]]:
            continue
        if held(row["key_id"].removeprefix(CLOSED)) and not held(here[row["id"]].removeprefix(CLOSED)):
            changed = update(Sealed).where(Sealed.id == row["id"], Sealed.wrapped_key.is_not(None))
            restored.execute(changed.values(key_id=row["key_id"], wrapped_key=row["wrapped_key"]))


def _raise_counters(restored: Session, archived: Mapping[str, int]) -> None:
    known: dict[str, int] = dict(restored.execute(select(Counter.name, Counter.value)).all())
    values: list[dict[str, Any]] = [
        {"name": name, "value": max(value, known.get(name, 0))} for name, value in archived.items()
    ]
    if values:
        restored.connection().execute(upserting(table_of(Counter)), values)
