"""Reads the results of a run. It finds a measurement by its name, node and set size, and computes ratios."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from bench.measuring.floor import NEEDS, least
from bench.own.outside import REPLAY
from bench.peers.nodes import EMBEDDED, GANACHE
from bench.stages import ISSUING, STAGES, WHOLE

SINGLE: Final = ("EAS attest", 1)
BATCHED: Final = ("EAS multiAttest", 100)
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Results:
    """The JSON of a run. A measurement that the run does not have is None."""

    data: Mapping[str, Any]

    def rows(self) -> Iterator[Row]:
        """Yield every measurement."""
        yield from self.data["measured"]

    def find(self, name: str, node: str, set_size: int | None = None) -> Row | None:
        """Return a measurement. If ``set_size`` is None, return the measurement with the largest sets."""
        found = [row for row in self.rows() if (row["name"], row["node"]) == (name, node)]
        if set_size is not None:
            found = [row for row in found if row["set_size"] == set_size]
        return max(found, key=lambda row: int(row["set_size"]), default=None)

    def long(self, name: str) -> Row | None:
        """Return a stage of the long run, which makes its certificates in sets of a thousand."""
        return self.find(name, EMBEDDED, min(1_000, int(self.data["size"])))

    def rate(self, name: str, node: str, set_size: int | None = None) -> float | None:
        """Return the rate of a measurement, in items per second."""
        row = self.find(name, node, set_size)
        return None if row is None else float(row["rate"])

    def whole(self, node: str) -> Row | None:
        """Return the measurement of all stages together on a node. On the embedded node, this is the measurement of the
        long run.
        """
        return self.long(WHOLE) if node == EMBEDDED else self.find(WHOLE, node)

    def ratio(self, peer: str, node: str, set_size: int) -> float | None:
        """Return the rate of all stages together divided by the rate of a compared product on the same node."""
        own, other = self.whole(node), self.rate(peer, node, set_size)
        return None if own is None or not other else float(own["rate"]) / other

    def replayed(self, name: str, node: str = GANACHE) -> float | None:
        """Return the project's rate on a node divided by the rate of the node alone with the same transactions."""
        own, alone = self.rate(name, node), self.rate(f"{name}: {REPLAY}", node)
        return None if own is None or not alone else own / alone

    def growth(self) -> float | None:
        """Return the time of one certificate at the end of the long run, divided by the time at the beginning of this
        run.
        """
        slices, beginning = self.data["growth"], self.data["beginning_us"]
        return slices[-1]["each_us"] / beginning if beginning else None

    def slowdown(self, suite: str) -> float | None:
        """Return the time of one certificate with keys of ``suite``, divided by the time with ES256K keys."""
        other = self.find(f"{WHOLE}, {suite}", EMBEDDED)
        own = self.find(WHOLE, EMBEDDED, 100) or self.long(WHOLE)
        return None if other is None or own is None else float(other["each_us"]) / float(own["each_us"])

    def profile(self) -> Iterator[dict[str, Any]]:
        """Yield for each stage of the long run its time, its floor (the least possible time), the time divided by the
        floor, and the counts of its calls.
        """
        for name in (*STAGES, ISSUING, WHOLE):
            row = self.long(name)
            if row is None:
                continue
            parts = [name] if name in NEEDS else list(STAGES if name == WHOLE else STAGES[3:])
            lowest = sum(least(part, self.data["floor"]) for part in parts)
            counts = {
                what: sum(self.data["counts"][part][what] for part in parts)
                for what in ("queries", "transactions", "node_calls")
            }
            yield {"stage": name, "row": row, "floor_us": lowest, "times": float(row["each_us"]) / lowest} | counts
