"""What the fault suite counts, and the lines about it at the end of a run.

A test that injects faults keeps a ``Tally``. It travels in the test's report, so that the lines are complete with
any number of workers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pytest

TALLY: Final = "faults"  # a property of the tests that inject faults: one row of the summary


@dataclass
class Tally:
    """What one test did: faults by what was injected, acts that were acknowledged, and what went wrong.

    ``unnoticed`` are faults that led to silence, to a foreign exception or to a code that blames somebody else.
    """

    faults: list[str] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    unnoticed: list[str] = field(default_factory=list)

    def noticed(self, fault: str, found: Iterable[str], expected: Iterable[str]) -> None:
        """A fault was injected; it is noticed if the product said ``expected`` and nothing else."""
        self.faults.append(fault)
        said, wanted = sorted(set(found)), sorted(set(expected))
        if not said or not set(said) <= set(wanted):
            self.unnoticed.append(f"{fault}: said {said or 'nothing'}, expected {wanted}")

    def harmless(self, fault: str, found: Iterable[str]) -> None:
        """A fault was injected that costs nothing: whoever meets it must be told nothing."""
        self.faults.append(fault)
        if said := sorted(set(found)):
            self.unnoticed.append(f"{fault}: said {said}, and nothing is wrong")

    def merge(self, other: dict[str, list[str]]) -> None:
        """Add what another process counted."""
        for name, items in other.items():
            getattr(self, name).extend(items)

    def row(self, name: str) -> list[Any]:
        """The row of the summary; plain values, as a report carries them between processes."""
        counts = [len(each) for each in (self.faults, self.acknowledged, self.lost, self.twice, self.unnoticed)]
        return [name, *counts]

    def failures(self) -> list[str]:
        """Everything that must not be; what differs in its first part alone is one line."""
        told = []
        for name, items in {"lost": self.lost, "twice": self.twice, "unnoticed": self.unnoticed}.items():
            alike: dict[str, list[str]] = {}
            for item in items:
                first, _, what = item.partition(": ")
                alike.setdefault(what, []).append(first)
            told += [f"{name}: {len(firsts)} × {firsts[0]} … {firsts[-1]}: {what}" for what, firsts in alike.items()]
        return told


HEADS: Final = ("faults injected", "acts acknowledged", "lost", "twice", "unnoticed")


def lines(rows: Sequence[Sequence[Any]]) -> list[str]:
    """The summary: one line for each file of tests, and their sum."""
    by_file: dict[str, list[int]] = {}
    for name, *counts in rows:
        sums = by_file.setdefault(str(name), [0] * len(HEADS))
        by_file[str(name)] = [before + count for before, count in zip(sums, counts, strict=True)]
    total = [sum(column) for column in zip(*by_file.values(), strict=True)]
    width = max(len(name) for name in [*by_file, "all"])
    told = [f"{'':{width}}  " + "  ".join(HEADS)]
    for name, counts in [*sorted(by_file.items()), ("all", total)]:
        cells = [f"{count:>{len(head)}}" for count, head in zip(counts, HEADS, strict=True)]
        told.append(f"{name:{width}}  " + "  ".join(cells))
    return told


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the counts of every test that injected faults."""
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    rows = [told for each in reports for name, told in getattr(each, "user_properties", ()) if name == TALLY]
    if rows:
        terminalreporter.section("faults")
        for line in lines(rows):
            terminalreporter.write_line(line)
