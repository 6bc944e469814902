"""Compare the entries and batches in the database with their hashes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from sqlalchemy import Row, event, select
from sqlalchemy.orm import QueryContext, Session

from ledger.domain.digests import hex_of
from ledger.domain.entries import statement_digest
from ledger.domain.findings import Finding
from ledger.proof.merkle import leaf_hash, root
from ledger.store.log import ENTRY_SEQ
from ledger.store.tables import Batch, Counter, Entry

_PER_QUERY: Final = 2_000


@event.listens_for(Entry, "load")
@event.listens_for(Entry, "refresh")
def _check_what_is_read(row: Entry, _context: QueryContext, _attributes: object = None) -> None:
    """Raise ``Incoherent`` ``ENTRY_DAMAGED`` if the text of an entry that is being loaded does not match its leaf."""
    if "body" in row.__dict__ and "leaf" in row.__dict__ and not _is_of_leaf(row.body, row.leaf):
        raise entry_damaged(row.seq).refusal()


def entry_damaged(seq: int) -> Finding:
    """Return the finding for an entry whose text does not match its leaf."""
    return Finding(
        "ENTRY_DAMAGED",
        f"The text of entry {seq} in the database was changed.",
        f"entry {seq}",
        "Another program changed the database, or its disk fails. Restore it with `pingzheng restore`; "
        "`pingzheng index check` names every such entry.",
        {"seq": seq},
    )


def audit(session: Session) -> Iterator[Finding]:
    """Compare every entry with its leaf and digest, and every batch with the root of its leaves."""
    leaves: dict[int, str] = {}
    batches = {batch.number: batch for batch in session.scalars(select(Batch))}
    for row in _entries(session):
        leaves[row.seq] = row.leaf
        batch = None if row.batch is None else batches.get(row.batch)
        if batch is not None and not batch.first_seq <= row.seq < batch.first_seq + batch.size:
            yield batch_damaged(batch.number, batch.first_seq, batch.size)
        if not _is_whole(row):
            yield entry_damaged(row.seq)
    end = session.scalar(select(Counter.value).where(Counter.name == ENTRY_SEQ))
    # ``log.coherence`` reports a counter whose value is not a number, so this function ignores such a counter.
    yield from _gaps([*sorted(leaves), end if isinstance(end, int) else 0], _lost(session))
    for batch in session.scalars(select(Batch).where(Batch.state != "lost").order_by(Batch.number)):
        held = [leaves.get(seq) for seq in range(batch.first_seq, batch.first_seq + batch.size)]
        if _root_of(held) != batch.root:
            yield batch_damaged(batch.number, batch.first_seq, batch.size)


def _root_of(leaves: list[str | None]) -> str | None:
    """Return the Merkle root of the leaves (hex); None if a leaf is missing or is not a digest."""
    try:
        return root([bytes.fromhex(leaf or "missing") for leaf in leaves]).hex()
    except ValueError:
        return None


def batch_damaged(number: int, first_seq: int, size: int) -> Finding:
    """Return the finding for a batch if its entries do not have the root that the batch records."""
    return Finding(
        "BATCH_DAMAGED",
        f"The entries {first_seq} to {first_seq + size - 1} in the database do not give the root of batch {number}.",
        f"batch {number}",
        "Another program changed, exchanged or removed entries. Restore the database with `pingzheng restore`.",
        {"batch": number},
    )


def _entries(session: Session) -> Iterator[Row[int, str, str, str, bytes, str | None, int | None]]:
    columns = (Entry.seq, Entry.type, Entry.leaf, Entry.digest, Entry.body, Entry.about, Entry.batch)
    after = -1
    while rows := session.execute(
        select(*columns).where(Entry.seq > after).order_by(Entry.seq).limit(_PER_QUERY)
    ).all():
        yield from rows
        after = rows[-1].seq


def _is_whole(row: Row[int, str, str, str, bytes, str | None, int | None]) -> bool:
    if not _is_of_leaf(row.body, row.leaf):
        return False
    stated = json.loads(row.body)
    about = hex_of(str(stated.get("statement"))) if row.type == "withdrawal" else None
    return bool((stated["type"], statement_digest(stated), about) == (row.type, row.digest, row.about))


def _is_of_leaf(body: object, leaf: str) -> bool:
    """Return whether the text has this leaf hash.

    SQLite does not check types. So if somebody changed the column, it may contain something else than bytes.
    """
    return isinstance(body, bytes) and leaf_hash(body).hex() == leaf


def _lost(session: Session) -> list[range]:
    batches = session.execute(select(Batch.first_seq, Batch.size).where(Batch.state == "lost")).all()
    return [range(first, first + size) for first, size in batches]


def _gaps(numbers: list[int], lost: list[range]) -> Iterator[Finding]:
    """Yield findings for missing entries.

    Sequence numbers have no gaps, except in batches that are recorded as lost.
    """
    for before, after in pairwise([-1, *numbers]):
        missing = [seq for seq in range(before + 1, after) if not any(seq in each for each in lost)]
        if missing:
            yield Finding(
                "ENTRIES_MISSING",
                f"The entries {missing[0]} to {missing[-1]} are not in the database.",
                f"entry {missing[0]}",
                "Restore the database with `pingzheng restore`, or add the holders' bundles: `pingzheng log adopt`.",
                {"first": missing[0], "last": missing[-1]},
            )
