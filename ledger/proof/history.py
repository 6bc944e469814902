# SPDX-License-Identifier: Apache-2.0
"""Checks that a history is complete: only the complete list of events, in order, leads to the head on the chain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ledger.proof.head import event_digest, fold


@dataclass(frozen=True, slots=True)
class HistoryEvent:
    """An event with its name ``Contract.Event`` and its arguments."""

    event: str
    args: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Completeness:
    """Whether a history is complete; ``head`` is the head after all events, and ``events`` is their number."""

    complete: bool
    head: bytes
    events: int


def verify_history(events: Iterable[HistoryEvent], head: bytes, start: bytes) -> Completeness:
    """Compute the head after ``events`` from ``start`` (a genesis) and compare it with ``head``.

    A history with an unknown or malformed event is not complete.
    """
    found, count = start, 0
    for item in events:
        try:
            found = fold(found, event_digest(item.event, item.args))
        except (KeyError, ValueError, TypeError):
            return Completeness(False, found, count)
        count += 1
    return Completeness(found == head, found, count)
