"""The long run makes certificates in sets until there are enough, and records rate, memory and file sizes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from bench.measuring.machine import bytes_in, memory_mb
from bench.measuring.measure import Measured
from bench.own.preparing import Preparing
from bench.own.statements import Scene
from bench.stages import ISSUING, WHOLE, Stages, measure, new_measurements, sums
from ledger.installation.wiring import Ledger

SLICES: Final = 10
SET_SIZE: Final = 1_000
SAMPLE: Final = 1_000
# The beginning of a run is its first 10,000 certificates, or its first tenth if a tenth is less. The mean time of these
# certificates is the time of one certificate at the beginning.
BEGINNING: Final = 10_000
Tell = Callable[[int, float], None]


class Growth:
    """Makes ``size`` certificates in sets of a thousand. The run is divided into at most ten slices, and the figures of
    each slice are reported.

    ``numbers`` has the numbers of some certificates, drawn evenly from the whole run. These certificates are verified
    later.
    """

    def __init__(self, ledger: Ledger, scene: Scene, preparing: Preparing, node: str, size: int) -> None:
        self._ledger = ledger
        self._scene = scene
        self._preparing = preparing
        self._node = node
        self._size = size
        self._stages = Stages(ledger)
        self.numbers: list[str] = []
        self.whole: list[Measured] = []
        self.beginning_us = 0.0

    def run(self, tell: Tell) -> list[dict[str, Any]]:
        """Run all slices; ``tell`` is called with the number of certificates made and the present rate."""
        slices, done = [], 0
        sets = -(-self._size // SET_SIZE)
        parts = min(SLICES, sets)
        total = new_measurements(self._node, min(SET_SIZE, self._size))
        for number in range(parts):
            wanted = min(self._size, sets * (number + 1) // parts * SET_SIZE) - done
            found = new_measurements(self._node, min(SET_SIZE, self._size))
            self._slice(done, wanted, found, tell)
            done += wanted
            slices.append(self._report(done, found))
            for name, part in found.items():
                total[name].count += part.count
                total[name].seconds += part.seconds
                total[name].cpu += part.cpu
                total[name].gas += part.gas
        self.whole = sums(total)
        return slices

    def _slice(self, done: int, wanted: int, found: dict[str, Measured], tell: Tell) -> None:
        for start in range(0, wanted, SET_SIZE):
            count = min(SET_SIZE, wanted - start)
            items = self._preparing.statements(self._scene, done + start, count)
            measure(self._stages, items, found)
            keep = max(1, SAMPLE * count // self._size)
            self.numbers += self._stages.numbers[:: max(1, count // keep)][:keep]
            whole = sums(found)[-1]
            if not self.beginning_us and done + start + count >= min(BEGINNING, self._size // SLICES):
                self.beginning_us = round(whole.each, 1)
            tell(done + start + count, whole.rate)

    def _report(self, done: int, found: dict[str, Measured]) -> dict[str, Any]:
        parts = {part.name: part for part in sums(found)}
        return {
            "certificates": done,
            "count": parts[WHOLE].count,
            "rate": round(parts[WHOLE].rate, 1),
            "issuing_rate": round(parts[ISSUING].rate, 1),
            "each_us": round(parts[WHOLE].each, 1),
            "issuing_us": round(parts[ISSUING].each, 1),
            "memory_mb": memory_mb(),
            "bytes": bytes_in(self._ledger.settings.home),
        }
