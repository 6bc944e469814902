"""The tests in tests/domain alone cover at least ``FLOOR`` percent of each file of ledger/domain."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple

from scripts.cover import DOMAIN, FLOOR, PROJECT, read, run_domain_tests
from tests.support.covered import COVERED


def test_the_domain_tests_cover_the_domain(record_property: Callable[[str, object], None]) -> None:
    result = run_domain_tests()
    assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-2000:]
    files = read(DOMAIN)
    for file in files:
        record_property(COVERED, astuple(file))
    written = {path.relative_to(PROJECT).as_posix() for path in (PROJECT / "ledger" / "domain").rglob("*.py")}
    assert {file.path for file in files} == written
    assert [file for file in files if not file.enough] == [], f"below {FLOOR} %"
