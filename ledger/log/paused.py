"""A paused ledger, as people read it: anchoring, registering and binding wait, and the error says until when.

The contracts refuse with ``PartyPaused(until)``. What they never refuse is listed in protocol §3.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import structlog

from ledger.domain.days import shanghai_time
from ledger.errors import Conflict

log = structlog.get_logger()

PAUSED: Final = "PARTY_PAUSED"


def paused(until: int) -> Conflict:
    """The error of what waits for the end of a pause; ``until`` is its end in seconds UTC."""
    end = shanghai_time(until)
    return Conflict(
        PAUSED,
        f"The ledger is paused until {end} (Beijing time) at the latest.",
        hint=f"Nothing is lost: try again after {end}, or when two officers have ended the pause.",
        until=until,
    )


def is_pause(refusal: Conflict) -> bool:
    """Whether the contracts refused because of a pause."""
    return refusal.code == PAUSED


@contextmanager
def saying_until_when() -> Iterator[None]:
    """Replace the contract's refusal because of a pause by ``paused``."""
    try:
        yield
    except Conflict as refusal:
        if not is_pause(refusal):
            raise
        raise paused(refusal.details["until"]) from refusal


@contextmanager
def waiting_for_its_end() -> Iterator[None]:
    """Leave undone what a pause stops; the caller's work is done again after it."""
    try:
        yield
    except Conflict as refusal:
        if not is_pause(refusal):
            raise
        log.info("the ledger is paused, work waits", until=refusal.details["until"])
