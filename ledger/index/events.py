"""Events of the index."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

# The names that events have for the acting party (protocol §3). Each event has one of them.
_ACTORS: Final = ("by", "issuer", "consumer", "party")


@dataclass(frozen=True, slots=True)
class IndexedEvent:
    """One row of ``idx_events``, with its arguments as on the chain."""

    block_number: int
    log_index: int
    tx_hash: str
    contract: str
    name: str
    args: Mapping[str, Any]

    @property
    def at(self) -> int:
        return int(self.args["at"])

    @property
    def by(self) -> int:
        return actor_of(self.args)


def actor_of(args: Mapping[str, Any]) -> int:
    """Return the number of the acting party from an event's arguments."""
    return int(next(args[name] for name in _ACTORS if name in args))


Handler = Callable[[Connection, IndexedEvent], None]
