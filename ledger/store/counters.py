"""Counters without gaps: a number is taken in the transaction that uses it, so that a rollback frees the number."""

from __future__ import annotations

from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from ledger.store.tables import Counter


def take(session: Session, name: str, count: int) -> int:
    """Take ``count`` consecutive numbers and return the first number; a new counter starts at 0."""
    insert = sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgresql_insert
    # The row is locked until the transaction ends, so that two writers never get the same number.
    taken = (
        insert(Counter)
        .values(name=name, value=count)
        .on_conflict_do_update(index_elements=[Counter.name], set_={"value": Counter.value + count})
        .returning(Counter.value)
    )
    return session.execute(taken).scalar_one() - count
