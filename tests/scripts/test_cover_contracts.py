"""The Solidity tests of the contracts pass, and cover the contracts."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import astuple

from scripts.cover import CONTRACTS, FLOOR, PROJECT, read, run_contract_tests
from tests.support.covered import COVERED

LEAST_TESTS = 100
_FUNCTION = re.compile(r"^ *function [^;{]*\{", re.MULTILINE)


def test_solidity_tests_pass_and_cover_the_contracts(record_property: Callable[[str, object], None]) -> None:
    result = run_contract_tests()
    assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-2000:]
    passing = re.search(r"(\d+) passing", result.stdout)
    assert passing is not None and int(passing[1]) >= LEAST_TESTS, result.stdout[-500:]
    files = read(CONTRACTS)
    for file in files:
        record_property(COVERED, astuple(file))
    assert {file.path for file in files} == _with_functions()
    assert [file for file in files if not file.enough] == [], f"below {FLOOR} %"
    # This shows that the branches were counted: otherwise the report would have almost none.
    assert sum(file.branches for file in files) > sum(file.lines for file in files) / 4


def _with_functions() -> set[str]:
    """Return the contract sources that contain functions; the test harness is left out (see hardhat.config.js)."""
    sources = (PROJECT / "contracts").rglob("*.sol")
    return {
        path.relative_to(PROJECT).as_posix()
        for path in sources
        if path.parent.name != "harness" and _FUNCTION.search(path.read_text("utf-8"))
    }
