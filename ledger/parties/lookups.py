"""Parties and their keys by id, or the error that says there is none."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.errors import Conflict, NotFound
from ledger.parties.tables import Party, PartyKey
from ledger.proof.suites.suite import ES256K, Suite, suite_of_key


def party(session: Session, identifier: str) -> Party:
    """The party; raises ``NotFound`` ``PARTY_UNKNOWN``."""
    row = session.get(Party, identifier)
    if row is None:
        raise unknown_party()
    return row


def unknown_party() -> NotFound:
    """The error of an id or an identifier that no party here has."""
    return NotFound("PARTY_UNKNOWN", "No such party.", hint="Onboard it first, or check the id.")


def party_no(session: Session, identifier: str) -> int:
    """The party's number on the chain; raises ``NotFound`` ``PARTY_UNKNOWN``, ``Conflict`` ``PARTY_NOT_ON_CHAIN``."""
    number = party(session, identifier).no
    if number is None:
        raise Conflict(
            "PARTY_NOT_ON_CHAIN",
            "The party is not registered on the chain yet.",
            where=f"party {identifier}",
            hint="Onboard it again: what is missing is made up.",
        )
    return number


def party_keys(session: Session, identifier: str) -> list[PartyKey]:
    """Every key that is or was the party's, the earliest first; a key about to be bound comes last."""
    query = select(PartyKey).where(PartyKey.party_id == identifier)
    return list(session.scalars(query.order_by(PartyKey.bound_at.is_(None), PartyKey.bound_at, PartyKey.retired_at)))


def live_keys(session: Session, identifier: str) -> list[PartyKey]:
    """The keys that are bound and not retired, reported ones too, as last read from the chain, the earliest first."""
    return [key for key in party_keys(session, identifier) if key.bound_at is not None and key.retired_at is None]


def speaking_keys(session: Session, identifier: str) -> list[PartyKey]:
    """The live keys that were not reported: what they sign is the party's."""
    return [key for key in live_keys(session, identifier) if key.reported_at is None]


def account_at(session: Session, identifier: str, at: int, suite: Suite = ES256K) -> str | None:
    """The party's account of that suite whose signatures count for what was anchored ``at`` (seconds UTC).

    ``None`` if it had none.
    """
    for key in party_keys(session, identifier):
        begun = key.bound_at is not None and (key.bound_at <= at or suite is ES256K)
        ends = [time for time in (key.retired_at, key.reported_at) if time is not None]
        if begun and all(at < end for end in ends) and suite_of_key(key.public_key) is suite:
            return key.account
    row = party(session, identifier)
    return row.account if suite_of_key(row.public_key) is suite else None
