"""Find the keys that may act for a party, and find parties without such a key. The caller updates the index first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sqlalchemy import ColumnElement, Connection, exists, select
from sqlalchemy.orm import Session

from ledger.chain.contracts.names import PARTY_STATUSES
from ledger.index.tables import ACCOUNTS, PARTIES
from ledger.store.sets import matching

_CLOSED: Final = PARTY_STATUSES.index("closed")


def speaks() -> tuple[ColumnElement[bool], ...]:
    """Return the SQL conditions for an account that may act: it is neither retired nor reported lost.

    If a key that is not retired is recorded as compromised, it also counts as reported.
    """
    return ACCOUNTS.c.valid_to == 0, ACCOUNTS.c.reported_at == 0


def mute_among(session: Session, numbers: Iterable[int]) -> set[int]:
    """Return the numbers of those parties whose status is closed, or that have no proven key that may act."""
    wanted = set(numbers)
    speaking = exists().where(ACCOUNTS.c.party_no == PARTIES.c.no, *speaks(), ACCOUNTS.c.proven)
    query = select(PARTIES.c.no).where(PARTIES.c.status != _CLOSED, speaking)
    return wanted - {row.no for row in matching(session, query, PARTIES.c.no, wanted)}


def is_mute(connection: Connection, number: int) -> bool:
    """Return whether a party has the status closed, or has no proven key that may act.

    The contract's ``isSilent`` becomes true only after a party has been in this state for the ledger's waiting period.
    """
    speaking = exists().where(ACCOUNTS.c.party_no == number, *speaks(), ACCOUNTS.c.proven)
    open_ = exists().where(PARTIES.c.no == number, PARTIES.c.status != _CLOSED)
    return not connection.scalar(select(speaking & open_))
