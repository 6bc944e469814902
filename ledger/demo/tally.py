"""What the pilot counts for each scenario."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

# The possible results of a request, in the order in which a request reaches them.
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
    """A refused case: the check that refused it, the code of the refusal, and the check that should refuse it."""

    case: str
    check: str
    code: str
    expected: str

    @property
    def right(self) -> bool:
        """Whether the expected check refused the case."""
        return self.check == self.expected


@dataclass
class Tally:
    """The numbers of one scenario. ``entries`` counts the scenario's log entries; ``anchored`` counts the entries that
    are on the chain. Time is wall time.

    ``found`` counts the certificates and uses of an earlier run; ``gas`` counts only this run.
    """

    scenario: str
    title: str
    subjects: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    caught: list[Caught] = field(default_factory=list)
    # Certificates that should have been valid but failed a check. Each text names the certificate and the check.
    unexpected: list[str] = field(default_factory=list)
    entries: int = 0
    anchored: int = 0
    seconds: float = 0.0
    anchor_gas: int = 0
    use_gas: int = 0

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Add the time that the block of code takes to the scenario's time."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds += time.perf_counter() - start

    @property
    def gas_each(self) -> int:
        """The gas for anchoring all entries of the scenario, divided by the number of certificates."""
        return self._each(self.anchor_gas, "issued")

    @property
    def use_gas_each(self) -> int:
        """The gas for counting one use of a certificate."""
        return self._each(self.use_gas, "verified")

    def _each(self, gas: int, name: str) -> int:
        here = self.counts[name] - self.found[name]
        return gas // here if here > 0 else 0

    def refusals(self) -> list[tuple[str, str, int]]:
        """Return the kinds of refusals, ordered by check: the check, the code, and how often this refusal occurred."""
        found = Counter((caught.check, caught.code) for caught in self.caught)
        return [
            (check, code, count) for (check, code), count in sorted(found.items(), key=lambda item: by_check(*item[0]))
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers as JSON, with time in milliseconds."""
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
    """Return a sort key. Refusals are sorted by check number; refusals without a check number come last."""
    number = check.split()[0]
    return int(number) if number.isdigit() else 99, code
