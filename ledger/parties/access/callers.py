"""Whose call it is: a session's or a machine key's, checked anew by the chain as followed at every call.

A key that no longer speaks, and a party that is closed, end what was made by them at once: what the database says of
sessions and keys counts for nothing without the account.
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
    """What a machine's key may do: look at records, act for the party, and get what is said of subjects."""

    READ = "read"
    ACT = "act"
    PAYLOAD = "payload"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, by which account, and how: by a session (its id), with all scopes, or by a machine's key (its id)."""

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
        """Its roles by the chain."""
        return self.actor.roles

    def require(self, scope: Scope) -> None:
        """Raise ``Forbidden`` ``SCOPE_EXCEEDED`` unless the call may do this."""
        if scope not in self.scopes:
            raise Forbidden(
                "SCOPE_EXCEEDED",
                f"The API key lacks the scope: {scope.value}.",
                hint="Sign in, or make a key with this scope in a session: `pingzheng api-key new`.",
                scope=scope.value,
            )

    def require_session(self) -> None:
        """Raise ``Forbidden`` ``SESSION_REQUIRED`` for a machine's key."""
        if self.session is None:
            raise Forbidden(
                "SESSION_REQUIRED",
                "A machine's key does not do this.",
                hint="Sign in by the party's own key: `pingzheng login`.",
            )


class Callers:
    """Finds the caller of a token; ``used`` is told a machine key's id and the day (days since 1970) of its last use
    as known."""

    def __init__(self, database: Database, used: Callable[[str, int | None], None], clock: Clock) -> None:
        self._database = database
        self._used = used
        self._clock = clock

    def of(self, token: str, *, cookie: bool = False) -> Caller:
        """The caller; ``cookie``: the token came by the cookie, which is no other way in than its own.

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
                "The API key is not known, is over or was revoked, or its party's key no longer speaks.",
                hint="Make another one in a session: `pingzheng api-key new`.",
            )
        row: ApiKey = found[0]
        caller = Caller(_actor(found), row.account, frozenset(Scope(each) for each in row.scopes), key=row.id)
        self._used(row.id, row.last_used)
        return caller

    def _found(self, query: Select[Any], kind: Any, column: Any, token: str) -> Row[Any] | None:
        """The row with its party's status and roles, if the account speaks for the party that it was made for."""
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
    """One answer for a token that never was, that is over, and whose key no longer speaks."""
    return Unauthenticated(
        "SESSION_UNKNOWN",
        "There is no such session, or it has ended.",
        hint="Sign in: `pingzheng login`.",
    )


def _actor(found: Row[Any]) -> Actor:
    return active_actor(found.id, found.status, found.roles)
