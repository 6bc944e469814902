"""Do a write only once for each idempotency key, even if the request is repeated or the process crashes."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import UpdateBase, delete, update
from sqlalchemy.exc import SQLAlchemyError

from ledger.domain.days import Clock
from ledger.errors import Conflict, InvalidInput, PingzhengError
from ledger.log.tables import IdempotentRequest
from ledger.store.database import Database

STALE_SECONDS = 120
RETRY_SECONDS = 2

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a write: HTTP status and JSON body."""

    status: int
    body: dict[str, Any]


class Idempotency:
    """Stores the answer for each party and key. After a failed write the key can be used again.

    Only keyed digests of the request and of the caller's key are stored. Both may contain personal data; without the
    digest key nobody can test a guess of this data.
    """

    def __init__(self, database: Database, digest_key: bytes, clock: Clock) -> None:
        self._database = database
        self._digest_key = digest_key
        self._clock = clock

    def once(self, party: str, key: str, request: bytes, work: Callable[[], Answer]) -> Answer:
        """Return the stored answer; if there is none, do ``work`` and store the answer. Two requests count as
        the same if their bytes are equal.

        Raises ``InvalidInput`` ``IDEMPOTENCY_KEY_REUSED`` if the key was used for another request, and ``Conflict``
        ``REQUEST_RUNNING`` while the first request still runs.
        """
        key = self._digest(b"key|" + key.encode())
        known = self._claim(party, key, self._digest(b"request|" + request))
        if known is not None:
            return known
        try:
            answer = work()
        except BaseException:
            self._store(delete(IdempotentRequest).where(*_is(party, key)))
            raise
        kept = {"status": answer.status, "response": answer.body}
        self._store(update(IdempotentRequest).where(*_is(party, key)).values(**kept))
        return answer

    def _store(self, change: UpdateBase) -> None:
        """Store the answer of the work. Even if the answer cannot be stored, the caller receives it.

        If the answer was not stored, the work counts as still running for ``STALE_SECONDS``. After that the work can be
        repeated: unique keys in its own tables prevent a second effect.
        """
        try:
            with self._database.write() as session:
                session.execute(change)
        except (PingzhengError, SQLAlchemyError) as failure:
            log.warning("the answer to an idempotency key was not stored", error=type(failure).__name__)

    def _claim(self, party: str, key: str, digest: str) -> Answer | None:
        now = self._clock()
        with self._database.write() as session:
            row = session.get(IdempotentRequest, (party, key))
            if row is None:
                session.add(IdempotentRequest(party_id=party, key=key, request_digest=digest, created_at=now))
                return None
            if row.request_digest != digest:
                raise InvalidInput(
                    "IDEMPOTENCY_KEY_REUSED",
                    "This Idempotency-Key was used for another request.",
                    where="Idempotency-Key",
                    hint="Use a new key for every new request.",
                )
            if row.status is not None:
                return Answer(row.status, row.response or {})
            if now - row.created_at < STALE_SECONDS:
                raise Conflict(
                    "REQUEST_RUNNING",
                    "The first request with this key is still running.",
                    hint="Wait, then send the request again.",
                    retry_after=RETRY_SECONDS,
                )
            # The process that did the work has stopped. Repeating is safe: unique keys in the work's own tables prevent
            # a second effect.
            row.created_at = now
            return None

    def _digest(self, text: bytes) -> str:
        return hmac.new(self._digest_key, text, hashlib.sha256).hexdigest()


def _is(party: str, key: str) -> tuple[Any, Any]:
    return IdempotentRequest.party_id == party, IdempotentRequest.key == key
