"""What parties withdrew on the chain for their own part: consents by their subjects, provisions by their providers.

The caller brings the index up to date first.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import ColumnElement, Select, exists, select
from sqlalchemy.orm import InstrumentedAttribute

from ledger.index.tables import PARTIES, WITHDRAWALS
from ledger.store.tables import Authorization, Entry, Provision

_WITHDRAWN: Final = "withdrawn"


def unheeded() -> Select[str]:
    """Ids of authorizations that their subject withdrew on the chain and that are still active here.

    What anyone else withdrew counts for nothing.
    """
    return (
        select(Authorization.id)
        .where(Authorization.state == "active", withdrew(Authorization.subject, Authorization.digest))
        .order_by(Authorization.id)
    )


def consent_ended() -> ColumnElement[bool]:
    """Whether an authorization is withdrawn, on the chain or by an entry of the log (for a key that the chain cannot
    check)."""
    return (Authorization.state == _WITHDRAWN) | withdrew(Authorization.subject, Authorization.digest)


def provision_ended() -> ColumnElement[bool]:
    """Whether a provision is withdrawn, on the chain by its provider or by an entry of the log."""
    recorded = exists().where(Entry.about == Provision.digest).correlate(Provision)
    return recorded | withdrew(Provision.provider, Provision.digest)


def withdrew(party: InstrumentedAttribute[str], statement: InstrumentedAttribute[str]) -> ColumnElement[bool]:
    """Whether the party (by id) withdrew the statement (by digest) on the chain; both are columns of one table."""
    return (
        exists()
        .where(WITHDRAWALS.c.statement == statement, WITHDRAWALS.c.party == PARTIES.c.no, PARTIES.c.id == party)
        .correlate(party.class_)
    )
