"""Support ``Idempotency-Key`` on writes: a call that is repeated with its key and body gets the first answer again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Header, Response
from pydantic import BaseModel

from ledger.domain.canonical import canonical
from ledger.installation.wiring import Ledger
from ledger.log.idempotency import Answer
from ledger.parties.roles import Actor

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=8,
        max_length=128,
        description="Choose a new key for each write. A call that is repeated with its key writes nothing again.",
    ),
]


def once(
    ledger: Ledger,
    actor: Actor,
    key: str | None,
    request: tuple[str, BaseModel],
    response: Response,
    work: Callable[[], tuple[int, BaseModel]],
) -> dict[str, Any]:
    """Do ``work`` once for each key. A repeated call gets the stored status and body of the first call.

    ``request`` is the operation's name and the body. If the path has parameters, the name must contain them, so that
    the same body for another record is a different request. The answer is stored unencrypted: it must hold no
    personal text.

    Raises ``InvalidInput`` ``IDEMPOTENCY_KEY_REUSED`` if the first call with this key had another body, and
    ``Conflict`` while the first call is still running.
    """
    operation, body = request
    content = canonical({"operation": operation, "body": body.model_dump(mode="json")})

    def run() -> Answer:
        status, result = work()
        return Answer(status, result.model_dump(mode="json"))

    answer = run() if key is None else ledger.idempotency.once(actor.party, key, content, run)
    response.status_code = answer.status
    return answer.body
