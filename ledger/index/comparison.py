"""Compare the newest block of the index with the node. The node has this block, or does not have it yet, or has another
block with the same number.

Several nodes may answer behind one address, and some may not have the newest blocks yet. A missing block does not prove
that the chain removed the block; only another block with the same number proves this. A chain that became shorter looks
like a node that is behind, so the index waits ``patience`` seconds before it assumes a shorter chain.
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
    """Whether the node's chain contains the newest block of the index."""

    THERE = auto()
    AHEAD = auto()
    GONE = auto()


class Comparison:
    """Compares blocks of the index with blocks of the node; ``clock`` returns seconds since any fixed time."""

    def __init__(self, reader: ChainReader, patience: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._reader = reader
        self._patience = patience
        self._clock = clock
        self._ahead_since: float | None = None

    def standing(self, cursor: Stored, latest: Block, stored: Callable[[], Sequence[Stored]]) -> Standing:
        """Return whether the chain contains ``cursor``, the newest block of the index. Sends at most two calls to the
        node.

        ``stored`` returns the blocks that the index keeps, ordered by number.
        """
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
        """Return the number of the newest block that both index and node have. Sends about log2(blocks) calls to the
        node.

        If index and node have no common block, the node must at least have this deployment: raises what
        ``check_deployment`` raises. So the index does not change if another chain answers at the same address.
        """
        below = [each for each in stored if each[0] <= latest.number]
        first_other = bisect_left(below, True, key=lambda each: not self.holds(each))
        if first_other == 0:
            check_deployment(self._reader.connection, self._reader.deployment)
            return self._reader.deploy_block - 1
        return below[first_other - 1][0]

    def holds(self, block: Stored) -> bool:
        """Return whether the node has a block with this number and this hash."""
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
    """Return whether the events and block headers belong to one chain, and whether this chain continues after the block
    ``cursor``.
    """
    by_number = {header.number: header for header in headers}
    linked = all(
        header.number - 1 not in by_number or by_number[header.number - 1].hash == header.parent for header in headers
    )
    first = by_number.get(cursor.number + 1)
    continues = first is None or first.parent == cursor.hash
    return linked and continues and all(event.block_hash == by_number[event.block_number].hash for event in events)
