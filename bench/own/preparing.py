"""Prepares signed statements in worker processes, one chunk at a time, so that neither the time nor the memory of this
work is counted.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import Final

from bench.own.cast import subjects
from bench.own.statements import Scene, Signed, signed
from ledger.parties.newcomers import NewParty
from ledger.proof.bundle import ChainId

WORKERS: Final = 2


class Preparing:
    """Prepares signed statements and proofs. A call returns when all are ready, so no worker runs in a measurement."""

    def __init__(self, pool: ProcessPoolExecutor) -> None:
        self._pool = pool

    def statements(self, scene: Scene, first: int, count: int) -> list[Signed]:
        """Return the signed statements of ``count`` certificates; ``first`` is the number of the first certificate."""
        parts = self._pool.map(signed, [scene] * WORKERS, _halves(first, count))
        return [each for part in parts for each in part]

    def subjects(self, chain: ChainId, first: int, count: int, suite: str) -> list[NewParty]:
        """Return persons to onboard, with their proofs of possession."""
        halves = _halves(first, count)
        parts = self._pool.map(
            subjects, [chain] * WORKERS, [each.start for each in halves], map(len, halves), [suite] * WORKERS
        )
        return [each for part in parts for each in part]


@contextmanager
def preparing() -> Iterator[Preparing]:
    """Start the workers, and end them at the end of the block."""
    with ProcessPoolExecutor(WORKERS, multiprocessing.get_context("spawn")) as pool:
        yield Preparing(pool)


def _halves(first: int, count: int) -> Sequence[range]:
    middle = first + count // 2
    return range(first, middle), range(middle, first + count)
