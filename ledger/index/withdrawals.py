"""Consents that their subjects withdrew on the chain by themselves, where the store does not know of it yet.

The caller brings the index up to date first.
"""

from __future__ import annotations

from sqlalchemy import Select, select

from ledger.index.tables import PARTIES, WITHDRAWALS
from ledger.store.tables import Authorization, Batch, Entry


def unheeded() -> Select[str]:
    """Ids of active authorizations with a withdrawal by the subject; anyone else's withdraws nothing."""
    return (
        select(Authorization.id)
        .join(Entry, Entry.leaf == Authorization.leaf)
        .join(Batch, Batch.number == Entry.batch)
        .join(WITHDRAWALS, (WITHDRAWALS.c.batch == Batch.number) & (WITHDRAWALS.c.index == Entry.seq - Batch.first_seq))
        .join(PARTIES, PARTIES.c.no == WITHDRAWALS.c.by)
        .where(PARTIES.c.id == Authorization.subject, Authorization.state == "active")
        .order_by(Authorization.id)
    )
