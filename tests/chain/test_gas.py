"""What every move costs: as committed, and within its limit. `python scripts/gas.py` writes the file anew."""

from __future__ import annotations

import json
from typing import Any

import pytest

from scripts.gas import GAS_FILE, LIMITS, MAX_RUNTIME_BYTES, SIZE_FILE, WHY, measure, report, sizes

# A forwarded call carries a signature and addresses, whose zero bytes cost less.
FORWARDED_TOLERANCE = 200


@pytest.fixture(scope="module")
def measured() -> dict[str, int]:
    return measure()


@pytest.fixture(scope="module")
def committed() -> dict[str, dict[str, Any]]:
    return dict(json.loads(GAS_FILE.read_text()))


def test_gas_is_as_committed(measured: dict[str, int], committed: dict[str, dict[str, Any]]) -> None:
    assert list(committed) == list(measured)
    changed = {
        name: (committed[name]["gas"], gas)
        for name, gas in measured.items()
        if abs(gas - committed[name]["gas"]) > (FORWARDED_TOLERANCE if name.endswith("forwarded") else 0)
    }
    assert not changed


def test_limits_stand_beside_the_values(committed: dict[str, dict[str, Any]]) -> None:
    assert report({name: row["gas"] for name, row in committed.items()}) == committed
    assert {name for name, row in committed.items() if "limit" in row} == set(LIMITS)


@pytest.mark.parametrize("name", LIMITS)
def test_gas_is_within_its_limit_or_says_why_not(committed: dict[str, dict[str, Any]], name: str) -> None:
    """Every measure is also compared with the committed one; a reason may not outlive the excess that it explains."""
    above = committed[name]["gas"] > LIMITS[name]
    assert above == ("why" in committed[name]) == (name in WHY)


def test_runtime_sizes_are_as_committed() -> None:
    assert json.loads(SIZE_FILE.read_text()) == sizes()
    assert all(0 < size < MAX_RUNTIME_BYTES for size in sizes().values())
