"""Errors of a paused ledger. During a pause anchoring, registering and binding keys must wait; the error says when the
pause ends.

The contracts refuse with ``PartyPaused(until)``. Protocol §3 lists the calls that a pause never stops.
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
    """Return the error for work that a pause stops; ``until`` is the end of the pause (seconds UTC)."""
    end = shanghai_time(until)
    return Conflict(
        PAUSED,
        f"The ledger is paused until {end} (Beijing time) at the latest.",
        hint=f"Nothing is lost: try again after {end}, or after two officers ended the pause.",
        until=until,
    )


def is_pause(refusal: Conflict) -> bool:
    """Return whether the contracts refused because of a pause."""
    return refusal.code == PAUSED


@contextmanager
def saying_until_when() -> Iterator[None]:
    """Replace the contract's refusal during a pause by the error ``paused``, which says when the pause ends."""
    try:
        yield
    except Conflict as refusal:
        if not is_pause(refusal):
            raise
        raise paused(refusal.details["until"]) from refusal


@contextmanager
def waiting_for_its_end() -> Iterator[None]:
    """Ignore the contract's refusal during a pause. The caller must repeat the work after the pause."""
    try:
        yield
    except Conflict as refusal:
        if not is_pause(refusal):
            raise
        log.info("the ledger is paused, work waits", until=refusal.details["until"])
