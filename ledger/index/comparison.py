"""Where the index stands beside the node that answers: level with it or behind it, ahead of it, or on another branch.

Behind one address several nodes may answer, and one of them may not have the newest blocks yet. A block that it does
not have yet is not one that the chain took back: only another block of the same number shows that. A chain that really
got shorter looks the same as a node that is behind, and stays so: after ``patience`` seconds it is taken for that.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Callable, Sequence
from enum import Enum, auto
from typing import Final

import structlog

from ledger.chain.contracts.abi import Event
from ledger.chain.contracts.deployment import check_deployment
from ledger.chain.reading.reader import ChainReader
from ledger.chain.rpc.connection import Block

PATIENCE_SECONDS: Final = 60
Stored = tuple[int, str]

log = structlog.get_logger()


class Standing(Enum):
    """How the last block of the index relates to the chain that the node shows."""

    THERE = auto()
    AHEAD = auto()
    GONE = auto()


class Comparison:
    """Compares blocks of the index with those of the node; ``clock`` is in seconds of any origin."""

    def __init__(self, reader: ChainReader, patience: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._reader = reader
        self._patience = patience
        self._clock = clock
        self._ahead_since: float | None = None

    def standing(self, cursor: Stored, latest: Block, stored: Callable[[], Sequence[Stored]]) -> Standing:
        """Where ``cursor`` stands; ``stored`` gives the blocks that the index keeps, by number. At most two calls."""
        number, digest = cursor
        if number <= latest.number:
            found = self._reader.block(number)
            if found is not None:
                self._ahead_since = None
                return Standing.THERE if found.hash == digest else Standing.GONE
        below = [each for each in stored() if each[0] <= latest.number]
        if below and not self._holds(below[-1], latest):
            self._ahead_since = None
            return Standing.GONE
        return self._ahead(number, latest)

    def common(self, stored: Sequence[Stored], latest: Block) -> int:
        """The number of the newest block that index and node have both, about log2(blocks) calls.

        Where there is none, the node must still be of the deployment: raises as ``check_deployment``. So another chain
        behind the same address leaves the index as it is.
        """
        below = [each for each in stored if each[0] <= latest.number]
        first_other = bisect_left(below, True, key=lambda each: not self.holds(each))
        if first_other == 0:
            check_deployment(self._reader.connection, self._reader.deployment)
            return self._reader.deploy_block - 1
        return below[first_other - 1][0]

    def holds(self, block: Stored) -> bool:
        """Whether the node has that very block."""
        found = self._reader.block(block[0])
        return found is not None and found.hash == block[1]

    def _holds(self, block: Stored, latest: Block) -> bool:
        return block[1] == latest.hash if block[0] == latest.number else self.holds(block)

    def _ahead(self, number: int, latest: Block) -> Standing:
        now = self._clock()
        if self._ahead_since is None:
            self._ahead_since = now
            self._warn("index_ahead_of_node", number, latest)
        if now - self._ahead_since < self._patience or latest.number < self._reader.deploy_block:
            return Standing.AHEAD
        self._ahead_since = None
        return Standing.GONE

    def _warn(self, event: str, number: int, latest: Block) -> None:
        where = self._reader.connection.where
        log.warning(event, index_block=number, node_block=latest.number, node=where)


def fits_together(cursor: Block, events: Sequence[Event], headers: Sequence[Block]) -> bool:
    """Whether logs and headers are of one chain that continues the cursor."""
    by_number = {header.number: header for header in headers}
    linked = all(
        header.number - 1 not in by_number or by_number[header.number - 1].hash == header.parent for header in headers
    )
    first = by_number.get(cursor.number + 1)
    continues = first is None or first.parent == cursor.hash
    return linked and continues and all(event.block_hash == by_number[event.block_number].hash for event in events)
