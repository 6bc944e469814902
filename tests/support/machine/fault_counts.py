"""Counts of injected faults, and their summary at the end of a test run.

A test that injects faults keeps a ``Tally``. The tally is part of the test's report, so that the summary is complete
with any number of workers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pytest

# A test that injects faults appends a pair to its ``user_properties``: this name, and its row of the summary.
TALLY: Final = "faults"


@dataclass
class Tally:
    """The counts of one test: injected faults of each kind, acknowledged acts, and errors that the product made.

    ``unnoticed`` lists the faults that the product did not report correctly: it reported nothing, it let an exception
    of a library pass, or its error had a wrong code. A report of a harmless fault is listed there too.
    """

    faults: list[str] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    unnoticed: list[str] = field(default_factory=list)

    def noticed(self, fault: str, found: Iterable[str], expected: Iterable[str]) -> None:
        """Count an injected fault. It counts as noticed if the product reported at least one code, and no code that is
        not in ``expected``.
        """
        self.faults.append(fault)
        said, wanted = sorted(set(found)), sorted(set(expected))
        if not said or not set(said) <= set(wanted):
            self.unnoticed.append(f"{fault}: said {said or 'nothing'}, expected {wanted}")

    def harmless(self, fault: str, found: Iterable[str]) -> None:
        """Count an injected fault that must have no effect; the product must report no error."""
        self.faults.append(fault)
        if said := sorted(set(found)):
            self.unnoticed.append(f"{fault}: said {said}, and nothing is wrong")

    def merge(self, other: dict[str, list[str]]) -> None:
        """Add the counts of another process."""
        for name, items in other.items():
            getattr(self, name).extend(items)

    def row(self, name: str) -> list[Any]:
        """Return the row of the summary as plain values, so that a test report can bring the row to another process."""
        counts = [len(each) for each in (self.faults, self.acknowledged, self.lost, self.twice, self.unnoticed)]
        return [name, *counts]

    def failures(self) -> list[str]:
        """Return a text line for each kind of error. Errors that have the same text after their first colon share a
        line.
        """
        errors = []
        for name, items in {"lost": self.lost, "twice": self.twice, "unnoticed": self.unnoticed}.items():
            alike: dict[str, list[str]] = {}
            for item in items:
                first, _, what = item.partition(": ")
                alike.setdefault(what, []).append(first)
            errors += [f"{name}: {len(firsts)} × {firsts[0]} … {firsts[-1]}: {what}" for what, firsts in alike.items()]
        return errors


HEADS: Final = ("faults injected", "acts acknowledged", "lost", "twice", "unnoticed")


def lines(rows: Sequence[Sequence[Any]]) -> list[str]:
    """Return the lines of the summary: one for each test file, and one with the totals."""
    by_file: dict[str, list[int]] = {}
    for name, *counts in rows:
        sums = by_file.setdefault(str(name), [0] * len(HEADS))
        by_file[str(name)] = [before + count for before, count in zip(sums, counts, strict=True)]
    total = [sum(column) for column in zip(*by_file.values(), strict=True)]
    width = max(len(name) for name in [*by_file, "all"])
    table = [f"{'':{width}}  " + "  ".join(HEADS)]
    for name, counts in [*sorted(by_file.items()), ("all", total)]:
        cells = [f"{count:>{len(head)}}" for count, head in zip(counts, HEADS, strict=True)]
        table.append(f"{name:{width}}  " + "  ".join(cells))
    return table


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the counts of every test that injected faults."""
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    rows = [value for each in reports for name, value in getattr(each, "user_properties", ()) if name == TALLY]
    if rows:
        terminalreporter.section("faults")
        for line in lines(rows):
            terminalreporter.write_line(line)
