"""What the pilot counts of each scenario."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

# Of each request: what came of it, in the order of the flow.
COUNTS: Final = (
    "requested",
    "declined",
    "unanswered",
    "authorised",
    "fewer_fields",
    "no_data",
    "refused",
    "timed_out",
    "supplied",
    "issued",
    "corrected",
    "verified",
)


@dataclass(frozen=True, slots=True)
class Caught:
    """What was refused, and by which check it had to be."""

    case: str
    check: str
    code: str
    expected: str

    @property
    def right(self) -> bool:
        """Whether it failed at the check that names it."""
        return self.check == self.expected


@dataclass
class Tally:
    """One scenario's numbers: ``entries`` of the log, so many of them ``anchored``; ``seconds`` is wall time.

    ``found``: how many certificates and uses of the counts an earlier run had made; gas is that of this run alone.
    """

    scenario: str
    title: str
    subjects: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    caught: list[Caught] = field(default_factory=list)
    # A certificate that ought to be valid and was not: its number and the check.
    unexpected: list[str] = field(default_factory=list)
    entries: int = 0
    anchored: int = 0
    seconds: float = 0.0
    anchor_gas: int = 0
    use_gas: int = 0

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Add what this takes to the scenario's time."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds += time.perf_counter() - start

    @property
    def gas_each(self) -> int:
        """Gas of the anchors per certificate: for everything that it rests on and came of it."""
        return self._each(self.anchor_gas, "issued")

    @property
    def use_gas_each(self) -> int:
        """Gas of counting one use."""
        return self._each(self.use_gas, "verified")

    def _each(self, gas: int, name: str) -> int:
        here = self.counts[name] - self.found[name]
        return gas // here if here > 0 else 0

    def refusals(self) -> list[tuple[str, str, int]]:
        """Check, code and how often, by check."""
        found = Counter((caught.check, caught.code) for caught in self.caught)
        return [
            (check, code, count) for (check, code), count in sorted(found.items(), key=lambda item: by_check(*item[0]))
        ]

    def to_dict(self) -> dict[str, Any]:
        """As JSON: time in milliseconds."""
        return {
            "scenario": self.scenario,
            "title": self.title,
            "subjects": self.subjects,
            **{name: self.counts[name] for name in COUNTS},
            "refusals": [{"check": check, "code": code, "count": count} for check, code, count in self.refusals()],
            "unexpected": self.unexpected,
            "milliseconds": round(self.seconds * 1000),
            "log_entries": self.entries,
            "anchor_gas_per_certificate": self.gas_each,
            "use_gas_per_use": self.use_gas_each,
        }


def by_check(check: str, code: str) -> tuple[int, str]:
    """Sorts refusals by the number of the check that made them, the platform's own after them."""
    number = check.split()[0]
    return int(number) if number.isdigit() else 99, code
