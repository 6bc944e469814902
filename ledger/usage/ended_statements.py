"""Builds SQL conditions for authorizations and provisions that were withdrawn by the party that signed them.

The caller must first bring the index up to date.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import ColumnElement, Select, exists, select, true
from sqlalchemy.orm import InstrumentedAttribute

from ledger.index.tables import PARTIES, WITHDRAWALS
from ledger.store.tables import Entry
from ledger.usage.tables import Authorization, Provision

_WITHDRAWN: Final = "withdrawn"


def withdrawn_but_active() -> Select[str]:
    """Return the ids of authorizations that their subject withdrew on the chain, but that are still active in the
    database.

    A withdrawal by any other party has no effect.
    """
    return (
        select(Authorization.id)
        .where(Authorization.state == "active", subject_withdrew(Authorization.subject, Authorization.digest))
        .order_by(Authorization.id)
    )


def consent_ended() -> ColumnElement[bool]:
    """Return the condition that an authorization is withdrawn: on the chain or, if the subject has an SM2 key, by a log
    entry.
    """
    return (Authorization.state == _WITHDRAWN) | subject_withdrew(Authorization.subject, Authorization.digest)


def provision_ended() -> ColumnElement[bool]:
    """Return the condition that a provision is withdrawn: on the chain by its provider, or by a log entry."""
    recorded = exists().where(Entry.about == Provision.digest).correlate(Provision)
    return recorded | provider_withdrew(Provision.provider, Provision.digest)


def subject_withdrew(subject: InstrumentedAttribute[str], statement: InstrumentedAttribute[str]) -> ColumnElement[bool]:
    """Return the condition that a subject withdrew a statement on the chain, even with a key that was reported lost.

    The arguments are two columns of one table: the subject's party id and the statement's digest.
    """
    return _withdrew(subject, statement, true())


def provider_withdrew(
    provider: InstrumentedAttribute[str], statement: InstrumentedAttribute[str]
) -> ColumnElement[bool]:
    """Return the condition that a provider withdrew a statement on the chain. The arguments are two columns of one
    table: the provider's party id and the statement's digest.

    A withdrawal with a key that was reported lost does not count. Otherwise a thief of the key could end every
    certificate that rests on the provider's data.
    """
    return _withdrew(provider, statement, WITHDRAWALS.c.at != 0)


def _withdrew(
    party: InstrumentedAttribute[str], statement: InstrumentedAttribute[str], counts: ColumnElement[bool]
) -> ColumnElement[bool]:
    return (
        exists()
        .where(WITHDRAWALS.c.statement == statement, WITHDRAWALS.c.party == PARTIES.c.no, PARTIES.c.id == party, counts)
        .correlate(party.class_)
    )
