"""The contracts' own tests, written in Solidity: units along the trees, fuzz, invariants."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from ledger.chain.node import find_node, find_program

PROJECT = Path(__file__).parents[1]
LEAST_TESTS = 100


def test_solidity_tests_pass() -> None:
    command = [str(find_node()), str(find_program("hardhat").with_name("cli.js")), "test", "solidity"]
    result = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=400, check=False)
    assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-2000:]
    passing = re.search(r"(\d+) passing", result.stdout)
    assert passing is not None and int(passing[1]) >= LEAST_TESTS, result.stdout[-500:]
