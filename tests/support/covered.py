"""The table of what was measured, before the closing line of a run."""

from __future__ import annotations

import pytest

from scripts.cover import Covered, table

COVERED = "covered"  # a property of the tests that measure: a row of the table


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The table of what was measured, before the closing line; from the reports, which reach it from any worker."""
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    properties = [told for report in reports for told in getattr(report, "user_properties", ())]
    files = {Covered(*row) for name, row in properties if name == COVERED}
    if files:
        terminalreporter.section("coverage")
        terminalreporter.write_line(table(sorted(files, key=lambda file: file.path)))
