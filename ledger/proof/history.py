"""Whether a history is whole: only all of its events, in order, fold to the head that the chain shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ledger.proof.head import event_digest, fold


@dataclass(frozen=True, slots=True)
class HistoryEvent:
    """An event named ``Contract.Event``, with its arguments."""

    event: str
    args: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Completeness:
    """The outcome: ``head`` is what the events fold to."""

    complete: bool
    head: bytes
    events: int


def verify_history(events: Iterable[HistoryEvent], head: bytes, start: bytes) -> Completeness:
    """Fold ``events`` from ``start`` (a genesis) and compare with ``head``; an event of no known form is no proof."""
    found, count = start, 0
    for item in events:
        try:
            found = fold(found, event_digest(item.event, item.args))
        except (KeyError, ValueError, TypeError):
            return Completeness(False, found, count)
        count += 1
    return Completeness(found == head, found, count)
