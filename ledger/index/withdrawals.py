"""Withdrawals that are not carried out to the end: told to the chain alone, or broken off between store and chain.

The caller brings the index up to date first.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import ColumnElement, Select, exists, select

from ledger.index.tables import PARTIES, STATUSES, WITHDRAWALS
from ledger.store.tables import Authorization, Batch, Certificate, Entry

# Revoked and superseded, by their numbers on the chain (protocol §3): for good, both.
_ENDED: Final = (2, 3)


def unheeded() -> Select[str]:
    """Ids of authorizations: active ones that their subject withdrew on the chain (anyone else's withdraws nothing),
    and withdrawn ones which the chain still lets stand, themselves or a certificate of their request."""
    own, ended = Authorization.leaf.in_(_withdrawn_by_subject()), _ended()
    built = exists().where(Certificate.request_id == Authorization.request_id, Certificate.leaf.not_in(ended))
    untold: ColumnElement[bool] = ~own & Authorization.leaf.not_in(ended)
    return (
        select(Authorization.id)
        .where(((Authorization.state == "active") & own) | ((Authorization.state == "withdrawn") & (untold | built)))
        .order_by(Authorization.id)
    )


def _withdrawn_by_subject() -> Select[str]:
    return (
        select(Authorization.leaf)
        .join(Entry, Entry.leaf == Authorization.leaf)
        .join(Batch, Batch.number == Entry.batch)
        .join(WITHDRAWALS, (WITHDRAWALS.c.batch == Batch.number) & (WITHDRAWALS.c.index == Entry.seq - Batch.first_seq))
        .join(PARTIES, PARTIES.c.no == WITHDRAWALS.c.by)
        .where(PARTIES.c.id == Authorization.subject)
        .correlate(None)
    )


def _ended() -> Select[str]:
    return (
        select(Entry.leaf)
        .join_from(STATUSES, Batch, Batch.number == STATUSES.c.batch)
        .join(Entry, Entry.seq == Batch.first_seq + STATUSES.c.index)
        .where(STATUSES.c.status.in_(_ENDED))
    )
