"""Prints a table with the coverage that tests measured, before the last line of a test run."""

from __future__ import annotations

import pytest

from scripts.cover import Covered, table

# A test that measures coverage appends a pair to its ``user_properties``: this name, and its row of the table.
COVERED = "covered"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table; its values come from the test reports, which every xdist worker sends to the main process."""
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    properties = [each for report in reports for each in getattr(report, "user_properties", ())]
    files = {Covered(*row) for name, row in properties if name == COVERED}
    if files:
        terminalreporter.section("coverage")
        terminalreporter.write_line(table(sorted(files, key=lambda file: file.path)))
