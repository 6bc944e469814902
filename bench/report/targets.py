"""The targets for performance, each with the value that the run measured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bench.own.assets import ASSET, ONBOARD
from bench.peers.nodes import ANVIL, EMBEDDED
from bench.report.results import BATCHED, SINGLE, Results
from bench.stages import ISSUING, WHOLE

NOT_HERE: Final = "not measured in this run"


@dataclass(frozen=True, slots=True)
class Target:
    """A target. ``value`` is None if the run did not measure this target; ``met`` compares ``value`` with ``bound``.

    ``key`` is the name under which ``missed.toml`` says why the target is missed.
    """

    key: str
    what: str
    bound: float | None
    value: float | None
    unit: str = ""
    most: bool = False

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None if there is no bound or no value."""
        if self.value is None or self.bound is None:
            return None
        return self.value <= self.bound if self.most else self.value >= self.bound

    @property
    def wanted(self) -> str:
        """The bound as text."""
        return "reported" if self.bound is None else f"{'≤' if self.most else '≥'} {number(self.bound)}{self.unit}"

    @property
    def measured(self) -> str:
        """The value as text."""
        return NOT_HERE if self.value is None else f"{number(self.value)}{self.unit}"

    @property
    def verdict(self) -> str:
        """The word met or missed; a dash if there is no bound or no value."""
        return {True: "met", False: "missed", None: "–"}[self.met]


def number(value: float) -> str:
    """Return a number as text, with about three digits; thousands are separated."""
    if value == 0 or value >= 100:
        return f"{value:,.0f}"
    if value >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if value >= 0.1 else f"{value:.4f}"


def targets(results: Results) -> Iterator[Target]:
    """Yield every target in order."""
    whole, issuing = results.long(WHOLE), results.long(ISSUING)
    data = results.data
    size = f"{data['size']:,}"
    alone, batched = SINGLE[0], BATCHED[0]
    yield Target("whole", "the platform's whole share of a certificate", 2_500, _rate(whole), "/s")
    for node in (EMBEDDED, ANVIL):
        place = f"both on the node {node}"
        yield Target("single", f"… beside EAS `attest`, {place}", 15, results.ratio(alone, node, 1), "×")
        many = f"… beside EAS `multiAttest` × 100, {place}"
        yield Target("batched", many, 1, results.ratio(batched, node, 100), "×")
    yield Target("issuing", "of it, issuing: from supplied requests to confirmed anchors", 8_000, _rate(issuing), "/s")
    yield Target("memory", "memory of the process at most", 1_000, data["memory_mb"], " MB", most=True)
    yield Target("assets", "assets, from submission to certificate", 500, results.rate(ASSET, EMBEDDED), "/s")
    yield Target("parties", "parties onboarded", 2_000, results.rate(ONBOARD, EMBEDDED), "/s")
    for key, what, name in (("ganache_assets", "assets", ASSET), ("ganache_parties", "parties", ONBOARD)):
        part = _percent(results.replayed(name))
        yield Target(key, f"ganache: rate of {what}, as a part of the rate of only the node", 80, part, " %")
    grown = f"time of one certificate after {size}, as a multiple of the time at the beginning"
    yield Target("growth", grown, 1.3, results.growth(), "×", most=True)
    wait = data["erased"]["longest_wait_ms"]
    yield Target("erasing", f"a writer's longest wait while one of {size} is erased", 100, wait, " ms", most=True)
    yield Target("es256", "time with ES256, as a multiple of ES256K", 2.5, results.slowdown("ES256"), "×", most=True)
    yield Target("sm2", "time with SM2, as a multiple of ES256K", None, results.slowdown("SM2SM3"), "×")
    yield Target("demo", "`make demo` once installed", 90, None, " s", most=True)


def _rate(row: object) -> float | None:
    return float(row["rate"]) if isinstance(row, dict) else None


def _percent(part: float | None) -> float | None:
    return None if part is None else part * 100
