"""Measure how much of the contracts the Solidity tests run, and how much of ledger/domain tests/domain runs.

A line of a contract is covered if one of its statements ran. A branch of a contract is one outcome of a condition, see
scripts/branches.mjs. A branch of Python is a jump from one line to another, as coverage.py counts it.

Example:
    python scripts/cover.py    run both suites, print a table, exit 1 if a file has less coverage than FLOOR
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ledger.chain.local.node_programs import find_node, find_program

PROJECT: Final = Path(__file__).resolve().parent.parent
FLOOR: Final = 95  # the lowest allowed coverage of each file, in per cent of lines and of branches
CONTRACTS: Final = PROJECT / "coverage" / "lcov.info"
DOMAIN: Final = PROJECT / "coverage" / "domain.info"


@dataclass(frozen=True, slots=True)
class Covered:
    """The coverage of one file. ``missed`` are the lines that did not run, or of which a branch did not run."""

    path: str
    lines: int
    lines_run: int
    branches: int
    branches_run: int
    missed: tuple[int, ...]

    @property
    def percent(self) -> tuple[float, float]:
        """Return the percentages of lines and of branches that ran; 100 if the file has no branches."""
        return _percent(self.lines_run, self.lines), _percent(self.branches_run, self.branches)

    @property
    def enough(self) -> bool:
        return min(self.percent) >= FLOOR


def run_contract_tests() -> subprocess.CompletedProcess[str]:
    """Run the Solidity tests with instrumented contracts. The run writes the file CONTRACTS."""
    CONTRACTS.unlink(missing_ok=True)
    hardhat = find_program("hardhat").with_name("cli.js")
    command = [str(find_node()), str(hardhat), "test", "solidity", "--coverage"]
    return _run(command)


def run_domain_tests() -> subprocess.CompletedProcess[str]:
    """Run tests/domain in a new Python process, so that code that runs on import is counted; write the file DOMAIN."""
    DOMAIN.unlink(missing_ok=True)
    measure = ["--cov=ledger.domain", "--cov-branch", f"--cov-report=lcov:{DOMAIN}"]
    return _run([sys.executable, "-m", "pytest", "tests/domain", *measure])


def read(report: Path) -> list[Covered]:
    """Return the coverage of each file in an lcov report, sorted. The report has only files that a test loaded."""
    records = report.read_text("utf-8").split("end_of_record\n")
    return sorted((_covered(record.splitlines()) for record in records if "SF:" in record), key=lambda it: it.path)


def table(files: list[Covered]) -> str:
    """Return a table with a row for each file, and a row with the totals."""
    lines, lines_run, branches, branches_run = (sum(column) for column in zip(*map(_counts, files), strict=True))
    total = Covered("total", lines, lines_run, branches, branches_run, ())
    width = max(len(file.path) for file in files)
    head = f"{'file':{width}}  {'lines':>9} {'%':>6}  {'branches':>9} {'%':>6}  missed lines"
    return "\n".join([head, *(_row(file, width) for file in [*files, total]), f"floor: {FLOOR} % of each file"])


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"COVERAGE_FILE": str(DOMAIN.with_suffix(".data"))}
    return subprocess.run(  # noqa: S603
        command, cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=1800, check=False
    )


def _covered(record: list[str]) -> Covered:
    values: dict[str, list[str]] = {}
    for line in record:
        name, _, value = line.partition(":")
        values.setdefault(name, []).append(value)
    lines = [value.split(",") for value in values.get("DA", [])]
    branches = [value.split(",") for value in values.get("BRDA", [])]
    missed = {int(line[0]) for line in [*lines, *branches] if line[-1] in ("0", "-")}
    run = sum(line[1] != "0" for line in lines), sum(branch[-1] not in ("0", "-") for branch in branches)
    path = Path(PROJECT, values["SF"][0]).relative_to(PROJECT).as_posix()
    return Covered(path, len(lines), run[0], len(branches), run[1], tuple(sorted(missed)))


def _counts(file: Covered) -> tuple[int, int, int, int]:
    return file.lines, file.lines_run, file.branches, file.branches_run


def _percent(run: int, of: int) -> float:
    return 100 * run / of if of else 100.0


def _row(file: Covered, width: int) -> str:
    by_line, by_branch = file.percent
    lines, branches = f"{file.lines_run}/{file.lines}", f"{file.branches_run}/{file.branches}"
    missed = ", ".join(map(str, file.missed))
    return f"{file.path:{width}}  {lines:>9} {by_line:6.1f}  {branches:>9} {by_branch:6.1f}  {missed}".rstrip()


def main() -> int:
    """Run both test suites, print the table, and return the exit code."""
    for run in (run_contract_tests(), run_domain_tests()):
        if run.returncode:
            print(run.stdout[-4000:], run.stderr[-2000:], sep="\n")
            return 1
    files = [*read(CONTRACTS), *read(DOMAIN)]
    print(table(files))
    return 0 if all(file.enough for file in files) else 1


if __name__ == "__main__":
    sys.exit(main())
