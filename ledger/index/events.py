"""Events as the index keeps them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection


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
        return int(self.args["by"])


Handler = Callable[[Connection, IndexedEvent], None]
