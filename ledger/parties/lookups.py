"""Look-ups of parties and their keys by party id, within the caller's database transaction."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.errors import Conflict, NotFound
from ledger.parties.known import KNOWN, KnownKey, KnownParty
from ledger.parties.tables import Party, PartyKey
from ledger.proof.suites.suite import ES256K, Suite, suite_of_key
from ledger.store.sets import matching


def party(session: Session, identifier: str) -> Party:
    """Return the party; raises ``NotFound`` ``PARTY_UNKNOWN``."""
    row = session.get(Party, identifier)
    if row is None:
        raise unknown_party()
    return row


def parties(session: Session, identifiers: Iterable[str]) -> dict[str, KnownParty]:
    """Return several parties by party id; raises ``NotFound`` ``PARTY_UNKNOWN``."""
    wanted = list(dict.fromkeys(identifiers))
    query = select(*KNOWN)
    found = {row.id: KnownParty.of(row) for row in matching(session, query, Party.id, wanted)}
    if len(found) < len(wanted):
        raise unknown_party()
    return found


def unknown_party() -> NotFound:
    """Return the error for an id, USCC or ID number that no party in this database has."""
    return NotFound("PARTY_UNKNOWN", "There is no such party.", hint="Check the id, or onboard the party first.")


def party_no(session: Session, identifier: str) -> int:
    """Return the party's number on the chain.

    Raises ``NotFound`` ``PARTY_UNKNOWN``, ``Conflict`` ``PARTY_NOT_ON_CHAIN``.
    """
    number = party(session, identifier).no
    if number is None:
        raise no_party_no(identifier)
    return number


def no_party_no(identifier: str) -> Conflict:
    """Return the error for a party that has no number on the chain yet."""
    return Conflict(
        "PARTY_NOT_ON_CHAIN",
        "The party is not registered on the chain yet.",
        where=f"party {identifier}",
        hint="Onboard the party again: this completes its registration.",
    )


def party_keys(session: Session, identifier: str) -> list[PartyKey]:
    """Return every present and former key of the party, the earliest first, and after them the proposed keys."""
    query = select(PartyKey).where(PartyKey.party_id == identifier)
    return list(session.scalars(query.order_by(PartyKey.bound_at.is_(None), PartyKey.bound_at, PartyKey.retired_at)))


def live_keys(session: Session, identifier: str) -> list[PartyKey]:
    """Return the party's keys that were bound and not retired when the chain was last read, the earliest first; a key
    that was reported lost is included."""
    return [key for key in party_keys(session, identifier) if key.bound_at is not None and key.retired_at is None]


def speaking_keys(session: Session, identifier: str) -> list[PartyKey]:
    """Return the live keys (bound, not retired) that are not reported.

    Only their signatures are valid for the party.
    """
    return [key for key in live_keys(session, identifier) if key.reported_at is None]


def speaking_keys_of(session: Session, identifiers: Iterable[str]) -> dict[str, list[KnownKey]]:
    """Return the ``speaking_keys`` of several parties by party id; a party without such a key is left out."""
    columns = (PartyKey.account, PartyKey.public_key, PartyKey.bound_at, PartyKey.retired_at, PartyKey.reported_at)
    speaking = PartyKey.bound_at.is_not(None), PartyKey.retired_at.is_(None), PartyKey.reported_at.is_(None)
    query = select(PartyKey.party_id, *columns, PartyKey.compromised_at).where(*speaking).order_by(PartyKey.bound_at)
    found: dict[str, list[KnownKey]] = {}
    for row in matching(session, query, PartyKey.party_id, identifiers):
        found.setdefault(row[0], []).append(KnownKey(*row[1:]))
    return found


def account_at(session: Session, identifier: str, at: int, suite: Suite = ES256K) -> str | None:
    """Return the party's account of the given suite that may sign entries anchored at the time ``at`` (seconds UTC).

    If no key of the suite was active at that time, return the present account if it is of the suite, else None.
    """
    for key in party_keys(session, identifier):
        begun = key.bound_at is not None and (key.bound_at <= at or suite is ES256K)
        ends = [time for time in (key.retired_at, key.reported_at) if time is not None]
        if begun and all(at < end for end in ends) and suite_of_key(key.public_key) is suite:
            return key.account
    row = party(session, identifier)
    return row.account if suite_of_key(row.public_key) is suite else None
