"""Prints a table of the measured coverage before the closing line of a test run."""

from __future__ import annotations

import pytest

from scripts.cover import Covered, table

COVERED = "covered"  # a property of the tests that measure: a row of the table


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table; the values come from the tests' reports, which arrive from every worker."""
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    properties = [each for report in reports for each in getattr(report, "user_properties", ())]
    files = {Covered(*row) for name, row in properties if name == COVERED}
    if files:
        terminalreporter.section("coverage")
        terminalreporter.write_line(table(sorted(files, key=lambda file: file.path)))
