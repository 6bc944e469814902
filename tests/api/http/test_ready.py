"""An installation is ready if its database, contracts and node belong to one ledger and all of them work."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine

from ledger.chain.contracts.deployment import Deployment
from ledger.store.database import Database
from tests.api.conftest import NOWHERE, looking_at
from tests.support.api.parts import Api

Changed = dict[str, Any]


def test_a_ready_installation_reports_its_ledger(api: Api) -> None:
    api.pilot.ledger.anchoring.flush()
    answer = api.get(None, "/ready")
    assert answer.status_code == 200, answer.text
    ready = answer.json()
    digest = api.get(None, "/v1/ledger").json()["ledger"]
    assert (ready["status"], ready["ledger"], ready["checks"]["ledger"]) == (
        "ready",
        digest,
        {"ok": True, "digest": digest},
    )
    assert ready["block"] == ready["checks"]["chain"]["block"] > 0
    assert all(check["ok"] for check in ready["checks"].values())


def test_an_installation_without_its_node_is_not_ready_and_shows_no_secret(api: Api) -> None:
    with looking_at(api, NOWHERE, api.pilot.ledger.client.deployment) as client:
        answer = client.get("/ready")
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["status"]) == (503, "NOT_READY", 503)
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["details"]["checks"]["chain"] == {"ok": False, "code": "CHAIN_UNREACHABLE"}
    assert problem["details"]["checks"]["database"] == {"ok": True}
    assert "secret" not in answer.text and "127.0.0.1" not in answer.text


@pytest.mark.parametrize("changed", [{"origin": "0" * 64}, {"chain_id": 4242}], ids=["another past", "another chain"])
def test_an_installation_with_the_deployment_of_another_ledger_is_not_ready(api: Api, changed: Changed) -> None:
    """The node has contracts of this version, but not the contracts that the deployment names."""
    ours: Deployment = api.pilot.ledger.client.deployment
    with looking_at(api, api.pilot.ledger.client.connection.url, replace(ours, **changed)) as client:
        answer = client.get("/ready")
    assert (answer.status_code, answer.json()["code"]) == (503, "NOT_READY")
    assert answer.json()["details"]["checks"]["ledger"] == {"ok": False, "code": "LEDGER_DIFFERS"}


def test_an_installation_without_its_database_is_not_ready(api: Api, tmp_path: Path) -> None:
    gone = Database(create_engine(f"sqlite:///{tmp_path}/no-such-folder/ledger.db"))
    client = api.pilot.ledger.client
    with looking_at(api, client.connection.url, client.deployment, gone) as http:
        answer = http.get("/ready")
    assert (answer.status_code, answer.json()["code"]) == (503, "NOT_READY")
    checks = answer.json()["details"]["checks"]
    assert checks["database"] == {"ok": False, "code": "DATABASE_UNREACHABLE"} and checks["chain"]["ok"]
