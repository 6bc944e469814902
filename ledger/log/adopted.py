"""Inclusion proofs of entries in lost batches, which came back with the bundles of their holders."""

from __future__ import annotations

from sqlalchemy.orm import Session

from ledger.errors import Conflict
from ledger.log.tables import AdoptedEntry
from ledger.store.tables import Batch


def adopted_proof(session: Session, batch: Batch, index: int) -> list[bytes]:
    """Return the proof of the entry at ``index`` of a lost batch; raises ``Conflict`` ``BATCH_LOST`` without one."""
    found = session.get(AdoptedEntry, batch.first_seq + index)
    if found is None:
        raise Conflict(
            "BATCH_LOST",
            f"The chain holds the root of batch {batch.number}, but entries of the batch are missing here.",
            where=f"batch {batch.number}",
            hint="Ask the holder for the bundle and add it: `pingzheng log adopt bundle.json`.",
        )
    return [bytes.fromhex(node) for node in found.proof]
