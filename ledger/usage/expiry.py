"""What time ends: requests that nobody answered, consents whose period is over.

Whoever reads them computes it; it is recorded by the server's tick, so that what is over is not looked through again.
"""

from __future__ import annotations

import json
from typing import Final

from sqlalchemy import ColumnElement, case, exists, select

from ledger.domain.days import Clock
from ledger.domain.lifecycle import AUTHORIZATION, REQUEST
from ledger.errors import Conflict
from ledger.store.database import Database
from ledger.store.tables import Entry
from ledger.usage.tables import AccessRequest, Authorization, Provision

_AT_ONCE: Final = 1_000
_OPEN: Final = AccessRequest.state.in_(
    sorted(state for state in REQUEST.states if "expire" in REQUEST.moves_from(state))
)


def request_state_at(row: AccessRequest, now: int) -> str:
    """The state of a request: over its deadline it is ``expired``."""
    over = now >= row.expires_at and "expire" in REQUEST.moves_from(row.state)
    return REQUEST.next(row.state, "expire") if over else row.state


def request_state(now: int) -> ColumnElement[str]:
    """The same in SQL."""
    return case((_OPEN & (AccessRequest.expires_at <= now), "expired"), else_=AccessRequest.state)


def authorization_state_at(row: Authorization, valid_to: int, now: int) -> str:
    """The state of a consent whose statement ends at ``valid_to``: from then on it is ``expired``."""
    over = now >= valid_to and "expire" in AUTHORIZATION.moves_from(row.state)
    return AUTHORIZATION.next(row.state, "expire") if over else row.state


def require_active(row: Authorization, valid_to: int, now: int) -> None:
    """Raise ``Conflict`` ``AUTHORIZATION_NOT_ACTIVE`` unless the consent stands."""
    if (state := authorization_state_at(row, valid_to, now)) != "active":
        raise not_active(row, state)


def not_active(row: Authorization, state: str) -> Conflict:
    """The error that a consent does not stand."""
    return Conflict(
        "AUTHORIZATION_NOT_ACTIVE",
        f"The authorization is {state}.",
        where=f"authorization {row.id}",
        hint="Ask the subject for a new authorization.",
    )


def require_not_expired(row: AccessRequest, now: int) -> str:
    """The state of a request; raises ``Conflict`` ``REQUEST_EXPIRED`` once its deadline has passed."""
    state = request_state_at(row, now)
    if state == "expired":
        raise Conflict(
            "REQUEST_EXPIRED",
            "The request was not answered in time.",
            where=f"request {row.id}",
            hint="The consumer can ask again.",
            expires_at=row.expires_at,
        )
    return state


class Expiry:
    """Records what is over: requests, and consents that no provider answered and that would be asked about again."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def tick(self) -> None:
        """Record what is over by now, so many at a time; where nothing is, nothing is written."""
        now = self._clock()
        unanswered = (
            select(Authorization.id, Entry.body)
            .join(Entry, Entry.digest == Authorization.digest)
            .where(Authorization.state == AUTHORIZATION.initial)
            .where(~exists().where(Provision.authorization_id == Authorization.id, Provision.result != "timed_out"))
        )
        over = select(AccessRequest.id).where(_OPEN, AccessRequest.expires_at <= now).limit(_AT_ONCE)
        with self._database.read() as session:
            requests = session.scalars(over).all()
            ends = {identifier: json.loads(body)["valid_to"] for identifier, body in session.execute(unanswered)}
        consents = [identifier for identifier, valid_to in ends.items() if now >= valid_to][:_AT_ONCE]
        if not requests and not consents:
            return
        with self._database.write() as session:
            for request in session.scalars(select(AccessRequest).where(AccessRequest.id.in_(requests))):
                request.state = request_state_at(request, now)
            for consent in session.scalars(select(Authorization).where(Authorization.id.in_(consents))):
                consent.state = authorization_state_at(consent, ends[consent.id], now)
