"""The gas of every act equals the committed value and is within its limit; `python -m scripts.gas` measures again."""

from __future__ import annotations

import json

import pytest

from scripts.gas.limits import LIMITS, MAX_RUNTIME_BYTES, SIZE_FILE, WHY, committed, report, tolerance
from scripts.gas.moves import measure, sizes
from scripts.gas.page import page

# An anchor or a bulk revocation has become more expensive for two reasons: each issuer now has its own log, and the
# call reads whether there is a pause. Together they may add at most this much gas.
MOST_FOR_ITS_OWN_LOG = 3_000
# The same call can cost 24 gas less in another run: up to two bytes of the times in the call can be zero, and each zero
# byte costs 12 gas less.
ZERO_BYTES = 24
TABLE = committed()


@pytest.fixture(scope="module")
def measured() -> dict[str, int]:
    return measure()


def test_the_measured_gas_equals_the_committed_gas(measured: dict[str, int]) -> None:
    assert list(TABLE) == list(measured)
    changed = {
        name: (TABLE[name]["gas"], gas)
        for name, gas in measured.items()
        if abs(gas - TABLE[name]["gas"]) > max(tolerance(name), ZERO_BYTES)
    }
    assert not changed


def test_every_gas_limit_is_in_the_committed_table() -> None:
    assert report({name: row["gas"] for name, row in TABLE.items()}, TABLE) == TABLE
    assert {name for name, row in TABLE.items() if "limit" in row} == set(LIMITS)


@pytest.mark.parametrize("name", LIMITS)
def test_an_act_that_costs_more_gas_than_its_limit_has_a_reason_in_the_table(name: str) -> None:
    """The table gives a reason for each act that is above its limit, and for no other act."""
    above = TABLE[name]["gas"] > LIMITS[name]
    assert above == ("why" in TABLE[name]) == (name in WHY)


@pytest.mark.parametrize("name", [name for name, row in TABLE.items() if "rise" in row])
def test_every_rise_in_gas_has_a_reason(name: str) -> None:
    rise = TABLE[name]["rise"]
    assert rise["why"] and 0 < rise["from"] < TABLE[name]["gas"]


@pytest.mark.parametrize("name", [name for name in TABLE if name.startswith(("anchor, size", "revoke 1000"))])
def test_a_separate_log_for_each_issuer_costs_little_gas(name: str) -> None:
    """An issuer's first anchor is not compared, because this anchor also pays for a new storage slot."""
    rise = TABLE[name].get("rise", {}).get("from", TABLE[name]["gas"])
    assert TABLE[name]["gas"] - rise <= MOST_FOR_ITS_OWN_LOG


def test_the_gas_page_shows_each_act_with_its_limit_and_the_reason_of_each_rise() -> None:
    shown = page(TABLE, sizes_as_committed())
    for name, row in TABLE.items():
        limit = f"{row['limit']:,}" if "limit" in row else "–"
        assert f"| {name} | {row['gas']:,} | {limit} |" in shown
        if "rise" in row:
            assert f"| {name} | {row['rise']['from']:,} | {row['gas']:,} | {row['rise']['why']} |" in shown


def test_the_report_keeps_the_former_gas_of_an_act_that_now_costs_more_gas() -> None:
    dearer = {name: row["gas"] + 50_000 for name, row in TABLE.items()}
    rows = report(dearer, TABLE)
    assert all(rows[name]["rise"]["from"] == TABLE[name]["gas"] for name in TABLE)


def sizes_as_committed() -> dict[str, int]:
    return dict(json.loads(SIZE_FILE.read_text()))


def test_the_contracts_bytecode_sizes_equal_the_committed_sizes() -> None:
    assert sizes_as_committed() == sizes()
    assert all(0 < size < MAX_RUNTIME_BYTES for size in sizes().values())
