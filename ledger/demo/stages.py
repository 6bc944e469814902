"""What is measured in a run: stages with their time, gas and counts."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ledger.demo.tally import Caught, Tally
from ledger.domain.definitions.reader import Bilingual

# A function that is called with the number of items that were done since the last call.
Tick = Callable[[int], None]
# A step of the demonstration: its name, and the function that runs the step.
Step = tuple[str, Callable[[], None]]
# A function that begins to show the progress of a stage. Its arguments are the stage's name and the number of items.
Progress = Callable[[str, int], Tick]


@dataclass
class Stage:
    """One stage of the run. ``seconds`` (wall time) and ``gas`` (of the stage's transactions) are only those of this
    run.

    ``found`` says how many of the ``count`` items were already done in an earlier run.
    """

    name: str
    count: int = 0
    found: int = 0
    seconds: float = 0.0
    gas: int = 0

    @property
    def gas_each(self) -> int:
        """The average gas for each item that this run did; 0 if this run did no item."""
        done = self.count - self.found
        return self.gas // done if done > 0 else 0


@dataclass
class Run:
    """The report of one run of the demonstration."""

    stages: list[Stage] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    tallies: dict[str, Tally] = field(default_factory=dict)
    mapping: list[dict[str, str]] = field(default_factory=list)
    refused: list[dict[str, str]] = field(default_factory=list)
    transfer: dict[str, Any] = field(default_factory=dict)
    powers: dict[str, Any] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[Stage]:
        """Measure the time of a stage, and add the stage to the report."""
        stage = Stage(name)
        self.stages.append(stage)
        start = time.perf_counter()
        try:
            yield stage
        finally:
            stage.seconds = time.perf_counter() - start

    def tally(self, scenario: str, title: Bilingual) -> Tally:
        """Return the tally of a scenario. It is created when it is first needed."""
        return self.tallies.setdefault(scenario, Tally(scenario, f"{title.zh} {title.en}"))

    @property
    def found(self) -> int:
        """How many of the acts were already done in earlier runs; 0 if this run began with an empty folder."""
        return sum(stage.found for stage in self.stages)

    @property
    def cases(self) -> list[dict[str, Any]]:
        """Every refused case: in which scenarios it occurred, how often, which check refused it, and whether this check
        was expected.
        """
        found: dict[Caught, Counter[str]] = {}
        for tally in self.tallies.values():
            for caught in tally.caught:
                found.setdefault(caught, Counter())[tally.scenario] += 1
        return [
            {
                "case": caught.case,
                "check": caught.check,
                "code": caught.code,
                "count": scenarios.total(),
                "scenarios": sorted(scenarios),
                "as_expected": caught.right,
            }
            for caught, scenarios in found.items()
        ]

    @property
    def as_expected(self) -> bool:
        """Return whether the expected check refused every case that must fail, and nothing else failed."""
        unexpected = any(tally.unexpected for tally in self.tallies.values())
        return not unexpected and all(case["as_expected"] for case in self.cases)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON, with times in milliseconds."""
        return {
            "counts": self.counts,
            "found": self.found,
            "stages": [
                {
                    "name": stage.name,
                    "count": stage.count,
                    "found": stage.found,
                    "milliseconds": round(stage.seconds * 1000),
                    "gas": stage.gas,
                    "gas_each": stage.gas_each,
                }
                for stage in self.stages
            ],
            "scenarios": [tally.to_dict() for tally in self.tallies.values()],
            "mapping": self.mapping,
            "unhappy": self.cases,
            "duplicates": self.refused,
            "transfer": self.transfer,
            "powers": self.powers,
        }
