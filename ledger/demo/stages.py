"""What a run is measured by: stages with their time, gas and counts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Stage:
    """One stage of the run. ``seconds`` is wall time, ``gas`` what its transactions used."""

    name: str
    count: int = 0
    seconds: float = 0.0
    gas: int = 0

    @property
    def gas_each(self) -> int:
        """Gas per counted thing; 0 where nothing was counted."""
        return self.gas // self.count if self.count else 0


@dataclass
class Caught:
    """An unhappy case and the check that caught it."""

    case: str
    check: str
    code: str
    reason: str
    expected: str

    @property
    def right(self) -> bool:
        """Whether it failed at the check that names it."""
        return self.check == self.expected


@dataclass
class Run:
    """Everything a run has to tell."""

    stages: list[Stage] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    caught: list[Caught] = field(default_factory=list)
    refused: list[dict[str, str]] = field(default_factory=list)
    transfer: dict[str, Any] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[Stage]:
        """Measure a stage."""
        stage = Stage(name)
        self.stages.append(stage)
        start = time.perf_counter()
        try:
            yield stage
        finally:
            stage.seconds = time.perf_counter() - start

    def to_dict(self) -> dict[str, Any]:
        """As JSON: times in milliseconds."""
        return {
            "counts": self.counts,
            "stages": [
                {
                    "name": stage.name,
                    "count": stage.count,
                    "milliseconds": round(stage.seconds * 1000),
                    "gas": stage.gas,
                    "gas_each": stage.gas_each,
                }
                for stage in self.stages
            ],
            "unhappy": [
                {
                    "case": caught.case,
                    "check": caught.check,
                    "code": caught.code,
                    "reason": caught.reason,
                    "as_expected": caught.right,
                }
                for caught in self.caught
            ],
            "duplicates": self.refused,
            "transfer": self.transfer,
        }
