"""Proofs of entries whose batch is lost as a whole: they came with the bundles of their holders."""

from __future__ import annotations

from sqlalchemy.orm import Session

from ledger.errors import Conflict
from ledger.log.tables import AdoptedEntry
from ledger.store.tables import Batch


def adopted_proof(session: Session, batch: Batch, index: int) -> list[bytes]:
    """The inclusion proof of an entry of a lost batch; raises ``Conflict`` ``BATCH_LOST`` if none came back yet."""
    found = session.get(AdoptedEntry, batch.first_seq + index)
    if found is None:
        raise Conflict(
            "BATCH_LOST",
            f"Of batch {batch.number} the chain holds the root, and not all its entries are here.",
            where=f"batch {batch.number}",
            hint="Ask the holder for the bundle and take it back: `pingzheng log adopt bundle.json`.",
        )
    return [bytes.fromhex(node) for node in found.proof]
