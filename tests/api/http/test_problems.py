"""Invalid input is answered with an RFC 9457 problem that has a stable code and contains no values of the input."""

from __future__ import annotations

import json
import re

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from structlog.testing import capture_logs

from api.http import problems
from ledger.installation.explanations import error_texts
from ledger.proof.jws import sign_entry
from tests.api.conftest import NOWHERE, looking_at
from tests.api.flow import ask, draft_request
from tests.support.api.parts import Api
from tests.support.places import OPENAPI

JSON = {"Content-Type": "application/json"}
PARTY = {
    "kind": "enterprise",
    "name": "某公司",
    "identifier": "91440802MA9X00011Y",
    "region": "440802",
    "public_key": "02" + "11" * 32,
}
BAD_PARTIES = [
    ("USCC_CHECK_DIGIT", {"identifier": "91440802MA9X00011X"}),
    ("USCC_SYMBOL", {"identifier": "９1440802MA9X00011Y"}),
    ("USCC_LENGTH", {"identifier": "91440802MA9X0001"}),
    ("REGION_UNKNOWN", {"region": "440399"}),
    ("PARTY_KIND_UNKNOWN", {"kind": "alien"}),
    ("RESIDENT_ID_CHECK_DIGIT", {"kind": "person", "identifier": "110105194912310021"}),
    ("REQUEST_SHAPE", {"surprise": 1}),
]


@pytest.mark.parametrize(("code", "change"), BAD_PARTIES, ids=[row[0] for row in BAD_PARTIES])
def test_the_error_for_an_invalid_party_does_not_repeat_the_values_of_the_party(
    api: Api, code: str, change: dict[str, str]
) -> None:
    answer = api.post("authority", "/v1/parties", {"parties": [PARTY | change]})
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert (PARTY | change)["identifier"] not in answer.text


MEMBERS = ("chain", "certificate", "position", "proof", "evidence", "anchors", "keys", "status")
BAD_BUNDLES = [
    ("NOT_A_BUNDLE", {}),
    ("BUNDLE_FORM", {"format": "pingzheng-bundle/2"}),
    ("PROTOCOL_UNSUPPORTED", dict.fromkeys(MEMBERS, 0) | {"format": "pingzheng-bundle/1"}),
    ("NOT_A_BUNDLE", {"a": json.loads("[" * 40 + "]" * 40)}),
    ("NOT_A_BUNDLE", {"a": 1.5}),
    ("JSON_FLOAT", {"format": "pingzheng-bundle/2", "a": 1.5}),
    ("NOT_A_BUNDLE", {"a": "x" * 300_000}),
]


@pytest.mark.parametrize(("code", "bundle"), BAD_BUNDLES, ids=[row[0] for row in BAD_BUNDLES])
def test_an_invalid_bundle_fails_at_the_first_check(api: Api, code: str, bundle: dict[str, object]) -> None:
    answer = api.post("bank", "/v1/verify", {"bundle": bundle, "nonce": "n" * 16})
    assert answer.status_code == 200
    assert (answer.json()["valid"], answer.json()["checks"][0]["code"]) == (False, code)


def test_a_body_above_the_limit_is_not_read(api: Api) -> None:
    answer = api.call("bank", "POST", "/v1/verify", content=b"x" * (3 * 1024 * 1024))
    assert (answer.status_code, answer.json()["code"]) == (413, "BODY_TOO_LARGE")


def test_a_deeply_nested_body_is_not_parsed(api: Api) -> None:
    answer = api.call("bank", "POST", "/v1/verify", content=b"[" * 90_000, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (422, "JSON_TOO_DEEP")


def test_a_call_with_a_missing_or_unknown_token_is_refused(api: Api) -> None:
    assert api.get(None, "/v1/parties").json()["code"] == "SESSION_MISSING"
    unknown = api.call(None, "GET", "/v1/parties", headers={"Authorization": "Bearer pz_nobody"})
    assert (unknown.status_code, unknown.json()["code"]) == (401, "API_KEY_UNKNOWN")


def test_a_call_for_an_unknown_record_gets_the_error_code_for_the_kind_of_record(api: Api) -> None:
    assert api.get(None, "/v1/scenarios/S99").json()["code"] == "SCENARIO_UNKNOWN"
    assert api.get("bank", f"/v1/assets/{'0' * 64}").json()["code"] == "ASSET_UNKNOWN"
    assert api.get(None, "/v1/log/batches/999999").json()["code"] == "BATCH_UNKNOWN"
    number = "DAC-440802-2026-S01-00000123-V"
    assert api.post("bank", "/v1/verify", {"certificate_no": number}).json()["code"] == "CERTIFICATE_UNKNOWN"


def test_every_code_that_a_route_declares_is_explained(api: Api) -> None:
    schema = api.client.get("/openapi.json").json()
    answers = [
        answer["description"]
        for path in schema["paths"].values()
        for operation in path.values()
        for answer in operation["responses"].values()
    ]
    declared = {code for text in answers for code in re.findall(r"`([A-Z][A-Z0-9_]+)`", text)}
    assert {"ACT_SIGNATURE_REQUIRED", "LOG_SIGNATURE_INVALID", "NOT_READY", "USE_NOT_PROPOSED"} <= declared
    assert declared <= error_texts().keys()


def test_the_committed_openapi_schema_is_up_to_date(api: Api) -> None:
    assert json.loads(OPENAPI.read_text("utf-8")) == api.client.get("/openapi.json").json(), (
        "run scripts/openapi.py and say why in the commit"
    )


def test_an_unexpected_error_is_logged_with_the_route_template_and_without_the_path() -> None:
    app = FastAPI()
    problems.install(app)

    @app.get("/parties/{identifier}")
    def fails(identifier: str) -> None:
        raise RuntimeError(identifier)

    # The exception must not reach the server, whose log would contain the exception's text. If the exception reached
    # the server, the test client would raise the exception here.
    with TestClient(app) as client, capture_logs() as lines:
        answer = client.get("/parties/110105194912310038")
    assert (answer.status_code, answer.json()["code"]) == (500, "INTERNAL")
    # Lines without a path are left out: the service of other tests may write them at the same time.
    found = [(line["path"], line["error"]) for line in lines if "path" in line]
    assert found == [("/parties/{identifier}", "RuntimeError")]


def test_the_address_and_the_secret_of_the_node_are_not_disclosed(api: Api) -> None:
    """Anybody may request the head of the log. In this test the call fails, because the node does not answer."""
    with looking_at(api, NOWHERE, api.pilot.ledger.client.deployment) as client:
        answer = client.get("/v1/log/head")
    assert (answer.status_code, answer.json()["code"], answer.json()["where"]) == (503, "CHAIN_UNREACHABLE", None)
    assert "secret" not in answer.text and "127.0.0.1" not in answer.text


def test_the_error_does_not_repeat_the_name_of_an_unknown_member(api: Api) -> None:
    answer = api.post("authority", "/v1/parties", {"parties": [PARTY | {"110105194912310038": 1}]})
    assert (answer.status_code, answer.json()["where"]) == (422, "body.parties.0")


def test_the_error_does_not_repeat_the_name_of_a_member_of_an_object(api: Api) -> None:
    asked = draft_request(api) | {"sources": {"110105194912310038": "not a party"}}
    answer = api.post("bank", "/v1/requests/draft", asked)
    assert (answer.status_code, answer.json()["where"]) == (422, "body.sources")
    assert "110105194912310038" not in answer.text


def test_the_error_does_not_repeat_the_name_of_a_member_of_a_statement(api: Api) -> None:
    (drafted,) = api.post("firm", f"/v1/requests/{ask(api)}/authorizations/draft", {}).json()["drafts"]
    entry = sign_entry(drafted["entry"] | {"110105194912310038": 1}, api.pilot.actors.signer_of(api.parties["firm"]))
    answer = api.post("firm", "/v1/authorizations", {"statements": [entry]})
    assert (answer.status_code, answer.json()["code"], answer.json()["where"]) == (422, "ENTRY_SHAPE", "…")
    assert "110105194912310038" not in answer.text


@pytest.mark.parametrize("path", ["/v1/log/batches/{}", "/v1/log/entries/{}", "/v1/log/entries/{}/proof"])
@pytest.mark.parametrize("number", [-1, 2**63, 10**40])
def test_an_impossible_record_number_is_refused(api: Api, path: str, number: int) -> None:
    answer = api.get("firm", path.format(number))
    assert (answer.status_code, answer.json()["code"]) == (422, "REQUEST_SHAPE")
