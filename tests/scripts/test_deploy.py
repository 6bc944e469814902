"""The script that deploys the contracts reads the founding parties from a file and refuses a short waiting period."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from ledger.chain.contracts.deployment import Deployment
from ledger.chain.local.node import LocalNode
from ledger.chain.reading.reader import ChainReader
from ledger.chain.sending.client import ChainClient
from scripts.deploy import app
from tests.support.chain.deployed import ACCREDITED_UNTIL, PARTIES, ROLES_OF, SCENARIO

FOUNDERS = ("founder", "second", "third", "issuer")


def rows() -> list[dict[str, Any]]:
    return [
        {
            "id": PARTIES[name].id,
            "accounts": [PARTIES[name].account],
            "roles": list(ROLES_OF[name]),
            **({"accreditations": {SCENARIO: {"from": 1, "to": ACCREDITED_UNTIL}}} if name == "issuer" else {}),
        }
        for name in FOUNDERS
    ]


def run(node: LocalNode, folder: Path, founding: object, *options: str) -> Result:
    path = folder / "founding.json"
    path.write_text(json.dumps(founding))
    fixed = ["--founding", str(path), "--key", PARTIES["founder"].key, "--url", node.url, "--folder", str(folder)]
    return CliRunner().invoke(app, [*fixed, *options])


def test_the_deployment_registers_each_party_of_the_file_once(node: LocalNode, tmp_path: Path) -> None:
    first = run(node, tmp_path, rows(), "--json")
    assert first.exit_code == 0, first.output
    shown, deployment = json.loads(first.stdout), Deployment.load(tmp_path / "local.json")
    assert (shown["deployed_now"], shown["ledger"], shown["delay"]) == (True, deployment.ledger, 3 * 86_400)
    reader = ChainReader(ChainClient.at(node.url, deployment))
    assert [reader.party(no).id for no in range(1, 5)] == [PARTIES[name].id for name in FOUNDERS]
    assert reader.party(1).roles == ("authority", "admin")
    assert reader.accreditation(4, SCENARIO) == (1, ACCREDITED_UNTIL)
    again = run(node, tmp_path, rows())
    assert again.exit_code == 0 and deployment.ledger in again.stdout and "Already deployed" in again.stdout


@pytest.mark.parametrize(("network", "code"), [("local", 0), ("city", 2)])
def test_a_waiting_period_of_less_than_a_day_is_refused_unless_the_chain_is_local(
    node: LocalNode, tmp_path: Path, network: str, code: int
) -> None:
    result = run(node, tmp_path, rows(), "--delay", "86399", "--network", network)
    assert result.exit_code == code
    assert (tmp_path / f"{network}.json").exists() == (code == 0)


@pytest.mark.parametrize(
    "founding",
    [{}, [{}], 5, [[]], [{**rows()[0], "roles": ["king"]}], [{**rows()[0], "accreditations": {"S51": 5}}]],
    ids=str,
)
def test_nothing_is_deployed_if_the_parties_file_is_malformed(
    node: LocalNode, tmp_path: Path, founding: object
) -> None:
    result = run(node, tmp_path, founding)
    assert result.exit_code != 0
    assert not (tmp_path / "local.json").exists()
