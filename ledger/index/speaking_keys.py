"""Which keys speak for a party, and whether it has a voice left. The caller brings the index up to date first."""

from __future__ import annotations

from typing import Final

from sqlalchemy import ColumnElement, Connection, exists, select

from ledger.chain.contracts.names import PARTY_STATUSES
from ledger.index.tables import ACCOUNTS, PARTIES

_CLOSED: Final = PARTY_STATUSES.index("closed")


def speaks() -> tuple[ColumnElement[bool], ...]:
    """Conditions on an account: it is neither retired nor reported. A live key that is compromised is reported too."""
    return ACCOUNTS.c.valid_to == 0, ACCOUNTS.c.reported_at == 0


def is_mute(connection: Connection, number: int) -> bool:
    """Whether a party is closed or has no key that speaks, at this moment.

    The chain's ``isSilent`` says so only after that has lasted for the delay.
    """
    speaking = exists().where(ACCOUNTS.c.party_no == number, *speaks(), ACCOUNTS.c.proven)
    open_ = exists().where(PARTIES.c.no == number, PARTIES.c.status != _CLOSED)
    return not connection.scalar(select(speaking & open_))
