"""Finds the calling party by the token of its session or machine key.

Every call checks the account again in the index of the chain. So a session or a machine key ends at once when the key
of its account is retired or reported, or when the party is closed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Row, Select, select

from ledger.domain.days import Clock
from ledger.domain.parties import Role
from ledger.errors import Forbidden, Unauthenticated
from ledger.index.speaking_keys import speaks
from ledger.index.tables import ACCOUNTS, PARTIES
from ledger.parties.access.tables import ApiKey, SignedIn
from ledger.parties.access.tokens import digest
from ledger.parties.roles import CLOSED, Actor, active_actor
from ledger.store.database import Database

SESSION_PREFIX: Final = "ps_"
KEY_PREFIX: Final = "pz_"
MAX_TOKEN: Final = 128


class Scope(StrEnum):
    """What a machine key may do: read records, act for the party, receive statements about subjects."""

    READ = "read"
    ACT = "act"
    PAYLOAD = "payload"


@dataclass(frozen=True, slots=True)
class Caller:
    """The calling party, its account, and the id of its session or machine key. A session has all scopes."""

    actor: Actor
    account: str
    scopes: frozenset[Scope]
    session: str | None = None
    key: str | None = None
    cookie: bool = False

    @property
    def party(self) -> str:
        """The calling party's id."""
        return self.actor.party

    @property
    def roles(self) -> frozenset[Role]:
        """The party's roles on the chain."""
        return self.actor.roles

    def require(self, scope: Scope) -> None:
        """Raise ``Forbidden`` ``SCOPE_EXCEEDED`` unless the caller has the scope."""
        if scope not in self.scopes:
            raise Forbidden(
                "SCOPE_EXCEEDED",
                f"The API key lacks the scope: {scope.value}.",
                hint="Sign in, or make an API key with this scope: `pingzheng api-key new`.",
                scope=scope.value,
            )

    def require_session(self) -> None:
        """Raise ``Forbidden`` ``SESSION_REQUIRED`` if the caller used a machine key instead of a session."""
        if self.session is None:
            raise Forbidden(
                "SESSION_REQUIRED",
                "This call needs a session; an API key is not allowed.",
                hint="Sign in with the party's own key: `pingzheng login`.",
            )


class Callers:
    """Finds the caller to whom a token belongs.

    For each use of a machine key, ``used`` is called with the key's id and the stored day of its last use (days since
    1970, or None).
    """

    def __init__(self, database: Database, used: Callable[[str, int | None], None], clock: Clock) -> None:
        self._database = database
        self._used = used
        self._clock = clock

    def of(self, token: str, *, cookie: bool = False) -> Caller:
        """Return the caller with this token. ``cookie`` says whether the token came in a cookie. A token for a cookie
        is valid only in a cookie, and any other token only outside a cookie.

        Raises ``Unauthenticated`` ``SESSION_UNKNOWN``, ``API_KEY_UNKNOWN``; ``Forbidden`` ``PARTY_NOT_ACTIVE``.
        """
        if token.startswith(KEY_PREFIX) and not cookie:
            return self._by_key(token)
        return self._by_session(token, cookie)

    def _by_session(self, token: str, cookie: bool) -> Caller:
        found = self._found(select(SignedIn), SignedIn, SignedIn.token_digest, token)
        if found is None or found[0].cookie != cookie:
            raise session_unknown()
        row: SignedIn = found[0]
        return Caller(_actor(found), row.account, frozenset(Scope), session=row.id, cookie=row.cookie)

    def _by_key(self, token: str) -> Caller:
        found = self._found(select(ApiKey), ApiKey, ApiKey.key_digest, token)
        if found is None:
            raise Unauthenticated(
                "API_KEY_UNKNOWN",
                "The API key is unknown, expired or revoked, or the key of its party is no longer active.",
                hint="Sign in and make another API key: `pingzheng api-key new`.",
            )
        row: ApiKey = found[0]
        caller = Caller(_actor(found), row.account, frozenset(Scope(each) for each in row.scopes), key=row.id)
        self._used(row.id, row.last_used)
        return caller

    def _found(self, query: Select[Any], kind: Any, column: Any, token: str) -> Row[Any] | None:
        """Return the token's row with the party's status and roles; None if the account may no longer act for the
        party."""
        if len(token) > MAX_TOKEN:
            return None
        speaking = (
            query.add_columns(PARTIES.c.id, PARTIES.c.status, PARTIES.c.roles)
            .join(ACCOUNTS, ACCOUNTS.c.account == kind.account)
            .join(PARTIES, (PARTIES.c.no == ACCOUNTS.c.party_no) & (PARTIES.c.id == kind.party_id))
            .where(column == digest(token), kind.expires_at > self._clock(), *speaks(), PARTIES.c.status != CLOSED)
        )
        with self._database.read() as session:
            return session.execute(speaking).first()


def session_unknown() -> Unauthenticated:
    """Return the one error for all tokens that are unknown or expired, or whose key is inactive."""
    return Unauthenticated(
        "SESSION_UNKNOWN",
        "The session is unknown or has ended.",
        hint="Sign in: `pingzheng login`.",
    )


def _actor(found: Row[Any]) -> Actor:
    return active_actor(found.id, found.status, found.roles)
