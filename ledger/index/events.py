"""Events as the index keeps them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

# What events call the party that acted (protocol §3): each has one of these.
_ACTORS: Final = ("by", "issuer", "consumer", "party")


@dataclass(frozen=True, slots=True)
class IndexedEvent:
    """One row of ``idx_events``, with its arguments as they came from the chain."""

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
    """The number of the party that acted, from an event's arguments."""
    return int(next(args[name] for name in _ACTORS if name in args))


Handler = Callable[[Connection, IndexedEvent], None]
