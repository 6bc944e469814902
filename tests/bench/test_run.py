"""A benchmark run with a few certificates measures every stage on a real chain, and the other products that the
benchmark compares.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bench.measuring.measure import Measured
from bench.own.assets import ASSET, ONBOARD
from bench.page import page
from bench.peers.nodes import ANVIL, EMBEDDED
from bench.peers.run import measure_peers
from bench.report.results import Results
from bench.run import Plan, Run
from bench.stages import ISSUING, STAGES, WHOLE

SIZE = 10
PEERS = {"EAS attest", "EAS multiAttest", "TradeTrust mint", "TradeTrust transfer", "ERC-721 mint"}


def test_a_small_run_measures_the_project_and_verifies_the_certificates() -> None:
    said: list[str] = []
    told: list[int] = []
    plan = replace(Plan.of(SIZE), nodes=(), outside={}, assets=2, verified=2, suites=())
    results = Results(Run(plan, said.append, lambda done, _rate: told.append(done)).run())
    for name in (*STAGES, ISSUING, WHOLE):
        row = results.long(name)
        assert row is not None and row["count"] == SIZE and row["rate"] > 0, name
    assert told[-1] == SIZE and said
    for name in (ONBOARD, ASSET):
        found = results.find(name, EMBEDDED)
        assert found is not None and found["rate"] > 0
    data = results.data
    assert data["verified"] | {"each_us": 0} == {"verified": 2, "valid": 2, "each_us": 0}
    assert data["index"]["equal"] and data["erased"]["scrubbed"]
    # In each of the first four stages, the ledger writes a whole set in one transaction of the database. Before it
    # issues certificates, it brings the index up to date, which takes two transactions.
    assert [data["counts"][name]["transactions"] * SIZE / 1_000 for name in STAGES[:4]] == [1, 1, 1, 3]
    assert page(dict(data)).startswith("# Performance")


def test_the_compared_products_are_measured_on_the_anvil_node(tmp_path: Path) -> None:
    found = measure_peers(ANVIL, tmp_path, 0.05, lambda _what: None, tokens=3)
    assert {each.name for each in found} >= PEERS
    assert all(each.count > 0 and each.rate > 0 for each in found)
    # The gas of the published contracts is known, and does not depend on the machine.
    (attest,) = (each for each in found if each.name == "EAS attest")
    assert 195_000 < attest.gas_each < 205_000
    assert gas(found, "bare Merkle anchor", 10_000) < gas(found, "EAS multiAttest", 400) / 1_000


def gas(found: list[Measured], name: str, set_size: int) -> float:
    (measured,) = (each for each in found if (each.name, each.set_size) == (name, set_size))
    return measured.gas_each
