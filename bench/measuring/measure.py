"""A measurement: how many items were done, in how much time and with how much gas."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, Final

MICROSECONDS: Final = 1_000_000


@dataclass
class Measured:
    """``count`` items of ``name`` were done in sets of ``set_size``.

    ``seconds`` is wall time. ``cpu`` is the processor time of this process alone, in seconds; a node's processor time
    is not included. ``gas`` is the gas of all transactions.
    """

    name: str
    node: str
    set_size: int
    count: int = 0
    seconds: float = 0.0
    cpu: float = 0.0
    gas: int = 0

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Add the time that the block of code takes."""
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self.seconds += time.perf_counter() - wall
        self.cpu += time.process_time() - cpu

    @property
    def rate(self) -> float:
        """How many items a second; 0 if nothing was measured."""
        return self.count / self.seconds if self.seconds else 0.0

    @property
    def each(self) -> float:
        """Microseconds of wall time for each item; 0 if nothing was measured."""
        return self.seconds / self.count * MICROSECONDS if self.count else 0.0

    @property
    def gas_each(self) -> float:
        """The gas for each item; 0 if nothing was measured."""
        return self.gas / self.count if self.count else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return the measurement as JSON, with the rate and the gas of one item."""
        cpu = self.cpu / self.count * MICROSECONDS if self.count else 0.0
        return asdict(self) | {
            "seconds": round(self.seconds, 4),
            "cpu": round(self.cpu, 4),
            "rate": round(self.rate, 1),
            "each_us": round(self.each, 1),
            "cpu_us": round(cpu, 1),
            "gas_each": round(self.gas_each, 1),
        }


def together(name: str, parts: list[Measured]) -> Measured:
    """Return the sum of measurements of stages that handled the same items, one stage after the other."""
    first = parts[0]
    return Measured(
        name,
        first.node,
        first.set_size,
        first.count,
        sum(part.seconds for part in parts),
        sum(part.cpu for part in parts),
        sum(part.gas for part in parts),
    )
