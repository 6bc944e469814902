"""Expiry of unanswered requests, and of authorizations whose period has ended.

A read computes whether a request or an authorization has expired, and writes nothing. The server's periodic task
records the expiry, so that expired requests and authorizations are not examined again.
"""

from __future__ import annotations

import json
from datetime import date
from typing import Final

from sqlalchemy import ColumnElement, bindparam, case, exists, select
from sqlalchemy.orm import Session

from ledger.domain.days import Clock, shanghai_day
from ledger.domain.lifecycle import AUTHORIZATION, REQUEST
from ledger.errors import Conflict
from ledger.store.database import Database
from ledger.store.tables import Entry
from ledger.usage.tables import AccessRequest, Authorization, Provision

_AT_ONCE: Final = 1_000
_OPEN_STATES: Final = sorted(state for state in REQUEST.states if "expire" in REQUEST.moves_from(state))
# The states are written into the text of the query (``literal_execute``), because SQLite otherwise does not use the
# index of the open requests.
_OPEN: Final = AccessRequest.state.in_(bindparam("open", _OPEN_STATES, expanding=True, literal_execute=True))


def request_state_at(row: AccessRequest, now: int) -> str:
    """Return the state of a request at ``now``: after its deadline an unanswered request is ``expired``."""
    over = now >= row.expires_at and "expire" in REQUEST.moves_from(row.state)
    return REQUEST.next(row.state, "expire") if over else row.state


def request_state(now: int) -> ColumnElement[str]:
    """Return the SQL expression for ``request_state_at``."""
    return case((_OPEN & (AccessRequest.expires_at <= now), "expired"), else_=AccessRequest.state)


def authorization_state_at(state: str, valid_to: int, now: int) -> str:
    """Return the state at ``now`` of an authorization whose recorded state is ``state``: an active authorization is
    ``expired`` from its ``valid_to`` on.
    """
    over = now >= valid_to and "expire" in AUTHORIZATION.moves_from(state)
    return AUTHORIZATION.next(state, "expire") if over else state


def require_active(row: Authorization, valid_to: int, now: int) -> None:
    """Raise ``Conflict`` ``AUTHORIZATION_NOT_ACTIVE`` unless the authorization is active at ``now``."""
    if (state := authorization_state_at(row.state, valid_to, now)) != "active":
        raise not_active(row.id, state)


def not_active(identifier: str, state: str) -> Conflict:
    """Return the error for an authorization that is not active."""
    return Conflict(
        "AUTHORIZATION_NOT_ACTIVE",
        f"The authorization is {state}.",
        where=f"authorization {identifier}",
        hint="Ask the subject for a new authorization.",
    )


def require_not_expired(row: AccessRequest, now: int) -> str:
    """Return the state of a request. Raises ``Conflict`` ``REQUEST_EXPIRED`` after its deadline."""
    state = request_state_at(row, now)
    if state == "expired":
        raise Conflict(
            "REQUEST_EXPIRED",
            "The request was not answered in time.",
            where=f"request {row.id}",
            hint="Let the consumer send a new request.",
            expires_at=row.expires_at,
        )
    return state


class Expiry:
    """Records expired requests, and expired authorizations that no provider has answered."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._looked_on: date | None = None

    def tick(self) -> None:
        """Record what has expired by now: at most 1,000 requests and 1,000 authorizations. Writes nothing if nothing
        has expired.

        Authorizations are read once a day, because they expire at midnight in Shanghai.
        """
        now = self._clock()
        over = select(AccessRequest.id).where(_OPEN, AccessRequest.expires_at <= now).limit(_AT_ONCE)
        with self._database.read() as session:
            requests = session.scalars(over).all()
            consents = self._expired_consents(session, now) if self._looked_on != shanghai_day(now) else []
        if requests or consents:
            with self._database.write() as session:
                for request in session.scalars(select(AccessRequest).where(AccessRequest.id.in_(requests))):
                    request.state = request_state_at(request, now)
                expired = Authorization.id.in_(consents), Authorization.state == AUTHORIZATION.initial
                for consent in session.scalars(select(Authorization).where(*expired)):
                    consent.state = AUTHORIZATION.next(consent.state, "expire")
        if len(consents) < _AT_ONCE:
            self._looked_on = shanghai_day(now)

    def _expired_consents(self, session: Session, now: int) -> list[str]:
        unanswered = (
            select(Authorization.id, Entry.body)
            .join(Entry, Entry.digest == Authorization.digest)
            .where(Authorization.state == AUTHORIZATION.initial)
            .where(~exists().where(Provision.authorization_id == Authorization.id, Provision.result != "timed_out"))
        )
        rows = session.execute(unanswered)
        return [identifier for identifier, body in rows if now >= json.loads(body)["valid_to"]][:_AT_ONCE]
