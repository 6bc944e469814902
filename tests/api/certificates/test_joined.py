"""The API of an installation that joined the operator's chain, and the list of verifications that a subject sees."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from ledger.installation.joining import open_joined
from ledger.installation.settings import Settings
from tests.api.flow import certificate, presented
from tests.support.actors.signing_in import token_of
from tests.support.api.parts import Api, bearer
from tests.support.ledgers.joined import joined


class Bank:
    """The bank's own installation on the operator's chain."""

    def __init__(self, client: TestClient, token: str) -> None:
        self._client = client
        self._headers = bearer(token)

    def get(self, path: str, **arguments: Any) -> Any:
        return self._client.get(path, headers=self._headers, **arguments)

    def post(self, path: str, body: object) -> Any:
        return self._client.post(path, json=body, headers=self._headers)


@pytest.fixture(scope="module")
def bank(api: Api, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bank]:
    settings = Settings(home=tmp_path_factory.mktemp("bank") / "home")
    joined(api.pilot, settings.home, api.parties["bank"])
    # Earlier tests may have moved the chain's clock ahead of the system clock, so the bank's clock follows the chain's
    # clock.
    clock = api.pilot.ledger.clock
    with open_joined(settings, clock) as installation:
        token = token_of(installation, installation.party)
    with TestClient(create_app(lambda: open_joined(settings, clock)), raise_server_exceptions=False) as client:
        yield Bank(client, token)


def shown(answer: Any) -> list[tuple[str, bool, int | None]]:
    assert answer.status_code == 200, answer.text
    return [(item["result"], item["presented"], item["ordinal"]) for item in answer.json()["items"]]


def test_a_bank_that_joined_the_ledger_uses_a_certificate_and_the_subject_sees_the_use(api: Api, bank: Bank) -> None:
    number = certificate(api)
    path = f"/v1/certificates/{number}/presentations"
    nonce = bank.get("/v1/presentations/nonce").json()["nonce"]
    bundle = presented(api, number, nonce)
    assert bank.post("/v1/verify", {"bundle": bundle, "nonce": nonce}).json()["valid"]
    used = bank.post("/v1/presentations", {"bundle": bundle, "nonce": nonce}).json()
    assert used["valid"] and used["disclosed"] == {"wage_band": "15–20"}
    replay = bank.post("/v1/presentations", {"bundle": bundle, "nonce": nonce})
    assert (replay.status_code, replay.json()["code"]) == (409, "NONCE_REPLAYED")
    assert replay.json()["details"]["result"] == "valid"
    assert shown(bank.get(path)) == [("valid", False, None), ("valid", True, 1)]
    assert bank.get(path).json()["elsewhere"] == []
    assert [item["fields"] for item in bank.get(path).json()["items"]] == [["wage_band"]] * 2
    answer = api.get("firm", path).json()
    assert answer["items"] == []
    (use,) = answer["elsewhere"]
    assert (use["ordinal"], use["by"]) == (1, api.parties["bank"])
    names = [event["name"] for event in bank.get(f"/v1/certificates/{number}/provenance").json()["events"]]
    assert sorted(names) == ["Anchored", "Used", "Verified", "Verified"]


def test_a_subject_or_authority_or_supervisor_can_list_the_platforms_verifications_page_by_page(
    api: Api, bank: Bank
) -> None:
    number = certificate(api)
    path = f"/v1/certificates/{number}/presentations"
    nonce = api.get("bank", "/v1/presentations/nonce").json()["nonce"]
    bundle = presented(api, number, nonce)
    api.post("other_bank", "/v1/verify", {"bundle": bundle, "nonce": nonce})
    api.post("bank", "/v1/presentations", {"bundle": bundle, "nonce": nonce})
    expected = [("not_party", False, None), ("valid", True, 1)]
    for part in ("firm", "bank", "provider", "platform", "supervisor"):
        assert shown(api.get(part, path)) == expected
    for part in ("other_firm", "other_bank"):
        refused = api.get(part, path)
        assert (refused.status_code, refused.json()["code"]) == (403, "PARTY_LACKS_ROLE")
    first = api.get("firm", f"{path}?limit=1").json()
    second = api.get("firm", f"{path}?limit=1&cursor={first['next_cursor']}").json()
    assert [first["items"][0]["consumer"], second["items"][0]["consumer"]] == [
        api.parties["other_bank"],
        api.parties["bank"],
    ]
    assert second["next_cursor"] is None
    unknown = bank.get("/v1/certificates/DAC-440802-2026-S01-00000123-V/presentations")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "CERTIFICATE_UNKNOWN")


def test_an_installation_that_joined_the_ledger_returns_a_certificates_status_and_the_head_of_the_log(
    api: Api, bank: Bank
) -> None:
    assert bank.get("/health").json() == {"status": "ok"}
    ready = bank.get("/ready")
    assert ready.status_code == 200, ready.text
    assert ready.json()["ledger"] == bank.get("/v1/ledger").json()["ledger"] == api.pilot.ledger.reader.chain.ledger
    checks = ready.json()["checks"]
    assert checks["anchoring"] == {"ok": True, "ours": False}
    assert checks["account"]["party"] == api.parties["bank"]
    head = bank.get("/v1/log/head").json()
    assert head["complete"] and head["entries_anchored"] > 0


OPERATORS: list[tuple[str, str, Any]] = [
    ("get", "/v1/certificates", None),
    ("post", "/v1/certificates", {}),
    ("get", "/v1/log/entries", None),
    ("get", "/v1/scenarios", None),
    ("get", "/v1/parties/" + "0" * 64, None),
    ("post", "/v1/assets", {}),
    ("get", "/v1/certificates/DAC-440802-2026-S01-00000123-V/status", None),
]


@pytest.mark.parametrize(("method", "path", "body"), OPERATORS, ids=[f"{row[0]} {row[1][:30]}" for row in OPERATORS])
def test_an_installation_that_joined_the_ledger_refuses_calls_that_only_the_operator_serves(
    bank: Bank, method: str, path: str, body: object
) -> None:
    answer = bank.get(path) if method == "get" else bank.post(path, body)
    assert (answer.status_code, answer.json()["code"]) == (403, "NOT_THE_OPERATOR")


def test_an_installation_that_joined_the_ledger_refuses_an_unknown_api_key(api: Api, bank: Bank) -> None:
    foreign = bank._client.get("/v1/presentations/nonce", headers={"Authorization": "Bearer pz_foreign"})
    assert (foreign.status_code, foreign.json()["code"]) == (401, "API_KEY_UNKNOWN")
