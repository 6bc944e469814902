"""Inclusion proofs for entries of lost batches. The proofs come from bundles that holders brought back."""

from __future__ import annotations

from sqlalchemy.orm import Session

from ledger.errors import Conflict
from ledger.log.tables import AdoptedEntry
from ledger.store.tables import Batch


def adopted_proof(session: Session, batch: Batch, index: int) -> list[bytes]:
    """Return the proof of an entry of a lost batch; raises ``Conflict`` ``BATCH_LOST`` if no holder brought a proof
    back.
    """
    found = session.get(AdoptedEntry, batch.first_seq + index)
    if found is None:
        raise Conflict(
            "BATCH_LOST",
            f"The chain holds the root of batch {batch.number}, but entries of the batch are missing here.",
            where=f"batch {batch.number}",
            hint="Ask the holder for the bundle and add it: `pingzheng log adopt bundle.json`.",
        )
    return [bytes.fromhex(node) for node in found.proof]
