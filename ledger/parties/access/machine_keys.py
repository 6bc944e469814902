"""Machine keys (API keys): a party makes them in a session, with a name, scopes and an expiry.

A machine key cannot make other keys. It belongs to the account that the party signed in with, and becomes invalid when
that account is no longer active (see ``callers``).
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import bindparam, delete, func, select, update
from ulid import ULID

from ledger.domain.days import DAY, Clock
from ledger.domain.lines import require_line
from ledger.errors import Conflict, InvalidInput, NotFound
from ledger.parties.access.callers import KEY_PREFIX, Caller, Scope
from ledger.parties.access.tables import ApiKey
from ledger.parties.access.tokens import digest, fresh
from ledger.store.database import Database

MAX_DAYS: Final = 366
MAX_KEYS: Final = 100
MAX_NAME: Final = 64
_LAST_USED: Final = update(ApiKey).where(ApiKey.id == bindparam("key")).values(last_used=bindparam("day"))


@dataclass(frozen=True, slots=True)
class MachineKey:
    """A machine key without its secret; ``last_used`` is a day (YYYY-MM-DD, UTC), or None if it was never used."""

    id: str
    name: str
    scopes: tuple[Scope, ...]
    account: str
    created_at: int
    expires_at: int
    last_used: str | None


@dataclass(frozen=True, slots=True)
class NewKey:
    """A machine key with its secret, which is shown only once."""

    key: str
    row: MachineKey


class MachineKeys:
    """Makes, lists and revokes the machine keys of the caller's party.

    The methods for callers raise ``Forbidden`` ``SESSION_REQUIRED`` if the caller itself uses a machine key.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._lock = threading.Lock()
        self._used: dict[str, int] = {}

    def new(self, caller: Caller, name: str, scopes: Iterable[Scope], expires_at: int) -> NewKey:
        """Make a key that expires at ``expires_at`` (seconds UTC).

        Raises ``InvalidInput`` ``API_KEY_NAME``, ``API_KEY_SCOPES``, ``API_KEY_PERIOD``; ``Conflict``
        ``API_KEYS_TOO_MANY``.
        """
        caller.require_session()
        now, wanted = self._clock(), {Scope(each) for each in scopes}
        _check(name, wanted, expires_at, now)
        secret = fresh(KEY_PREFIX)
        row = ApiKey(
            id=str(ULID()),
            party_id=caller.party,
            account=caller.account,
            name=name,
            scopes=[each.value for each in Scope if each in wanted],
            key_digest=digest(secret),
            created_at=now,
            expires_at=expires_at,
        )
        own = select(func.count()).where(ApiKey.party_id == caller.party)
        with self._database.write() as session:
            session.execute(delete(ApiKey).where(ApiKey.expires_at <= now))
            if (session.scalar(own) or 0) >= MAX_KEYS:
                raise Conflict(
                    "API_KEYS_TOO_MANY",
                    f"A party may have at most {MAX_KEYS} API keys.",
                    hint="Revoke the keys that you no longer use; `pingzheng api-key list` shows all keys.",
                )
            session.add(row)
        return NewKey(secret, _shown(row))

    def listed(self, caller: Caller) -> list[MachineKey]:
        """Return the keys of the caller's party that have not expired, the newest first."""
        caller.require_session()
        query = select(ApiKey).where(ApiKey.party_id == caller.party, ApiKey.expires_at > self._clock())
        with self._database.read() as session:
            return [_shown(row) for row in session.scalars(query.order_by(ApiKey.id.desc()))]

    def revoke(self, caller: Caller, identifier: str) -> None:
        """Delete a key of the caller's party; raises ``NotFound`` ``API_KEY_NOT_FOUND``."""
        caller.require_session()
        own = delete(ApiKey).where(ApiKey.id == identifier, ApiKey.party_id == caller.party)
        with self._database.write() as session:
            ended = session.connection().execute(own).rowcount
        if not ended:
            raise NotFound(
                "API_KEY_NOT_FOUND", "The party has no API key with this id.", hint="List the party's API keys first."
            )

    def used(self, identifier: str, known: int | None) -> None:
        """Note in memory that a key was used today; ``flush`` stores it.

        ``known`` is the day of last use in the database.
        """
        today = self._clock() // DAY
        if known != today:
            with self._lock:
                self._used[identifier] = today

    def flush(self) -> int:
        """Write the days of last use to the database, and return the number of keys.

        After a failure, the next call writes the days.
        """
        with self._lock:
            waiting, self._used = self._used, {}
        if not waiting:
            return 0
        try:
            days = [{"key": identifier, "day": day} for identifier, day in waiting.items()]
            with self._database.write() as session:
                # Use a plain UPDATE statement, because the object mapper raises an error if a key was revoked in the
                # meantime.
                session.connection().execute(_LAST_USED, days)
        except Exception:
            with self._lock:
                self._used = waiting | self._used
            raise
        return len(waiting)


def _check(name: str, scopes: set[Scope], expires_at: int, now: int) -> None:
    if not 1 <= len(name) <= MAX_NAME:
        raise InvalidInput("API_KEY_NAME", f"A key's name must have 1 to {MAX_NAME} characters.", where="name")
    require_line(name, "name")
    if not scopes:
        hint = f"Choose from: {', '.join(Scope)}."
        raise InvalidInput("API_KEY_SCOPES", "A key needs at least one scope.", where="scopes", hint=hint)
    if not now < expires_at <= now + MAX_DAYS * DAY:
        raise InvalidInput(
            "API_KEY_PERIOD",
            f"A key must expire in the future, and within {MAX_DAYS} days.",
            where="expires_at",
            hint="Choose a day within this period, and make a new key before this one expires.",
        )


def _shown(row: ApiKey) -> MachineKey:
    day = None if row.last_used is None else datetime.fromtimestamp(row.last_used * DAY, UTC).date().isoformat()
    scopes = tuple(Scope(each) for each in row.scopes)
    return MachineKey(row.id, row.name, scopes, row.account, row.created_at, row.expires_at, day)
