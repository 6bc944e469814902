"""Doing a write once per client key, whatever is sent again and whenever we crash."""

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
    """What a write was answered with: HTTP status and JSON body."""

    status: int
    body: dict[str, Any]


class Idempotency:
    """Remembers answers by party and key. A failed write forgets its key: it may be tried again.

    Of a request and of the caller's key it keeps keyed digests: either may be personal, and no guess at it can be
    confirmed without our key.
    """

    def __init__(self, database: Database, digest_key: bytes, clock: Clock) -> None:
        self._database = database
        self._digest_key = digest_key
        self._clock = clock

    def once(self, party: str, key: str, request: bytes, work: Callable[[], Answer]) -> Answer:
        """The remembered answer, or that of ``work``; ``request`` is all that tells it from another one.

        Raises ``InvalidInput`` ``IDEMPOTENCY_KEY_REUSED`` when the key was used for another request,
        ``Conflict`` ``REQUEST_RUNNING`` while the first one still runs.
        """
        key = self._digest(b"key|" + key.encode())
        known = self._claim(party, key, self._digest(b"request|" + request))
        if known is not None:
            return known
        try:
            answer = work()
        except BaseException:
            self._noted(delete(IdempotentRequest).where(*_is(party, key)))
            raise
        kept = {"status": answer.status, "response": answer.body}
        self._noted(update(IdempotentRequest).where(*_is(party, key)).values(**kept))
        return answer

    def _noted(self, change: UpdateBase) -> None:
        """Write how it ended, if the database takes that now: what the caller is told depends on the work alone.

        Where it is not written, the key counts as running until it is stale, and then the work's natural keys decide.
        """
        try:
            with self._database.write() as session:
                session.execute(change)
        except (PingzhengError, SQLAlchemyError) as failure:
            log.warning("an idempotency key keeps its old state", error=type(failure).__name__)

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
                    hint="Use a fresh key for every new request.",
                )
            if row.status is not None:
                return Answer(row.status, row.response or {})
            if now - row.created_at < STALE_SECONDS:
                raise Conflict(
                    "REQUEST_RUNNING",
                    "The first request with this key is still running.",
                    hint="Wait, then send it again.",
                    retry_after=RETRY_SECONDS,
                )
            # Its process died: the work behind it has natural keys, so it can be done again.
            row.created_at = now
            return None

    def _digest(self, text: bytes) -> str:
        return hmac.new(self._digest_key, text, hashlib.sha256).hexdigest()


def _is(party: str, key: str) -> tuple[Any, Any]:
    return IdempotentRequest.party_id == party, IdempotentRequest.key == key
