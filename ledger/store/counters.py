"""Gapless counters: the number is taken in the transaction that uses it, so a rollback gives it back."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from ledger.store.tables import Counter


def take(session: Session, name: str, count: int) -> int:
    """Take ``count`` numbers and return the first; a new counter starts at 0."""
    insert = sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgresql_insert
    session.execute(insert(Counter).values(name=name, value=0).on_conflict_do_nothing())
    # The row stays locked until the transaction ends: two writers never see one number.
    session.execute(update(Counter).where(Counter.name == name).values(value=Counter.value + count))
    return session.execute(select(Counter.value).where(Counter.name == name)).scalar_one() - count
