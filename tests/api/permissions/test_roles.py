"""Permissions of changing calls over HTTP: for each call, the parties that may make it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.assets import registered, resource
from tests.api.flow import NUMBER, certificate, draft_request
from tests.support.api.parts import Api

PARTS = ("authority", "platform", "registrar", "provider", "bank", "supervisor", "firm")
NOWHERE = "0" * 64
NO_ULID = "0" * 26


# For each call: method, path, body, and the allowed parties. Other parties get PARTY_LACKS_ROLE before the values of
# the body are checked.
CALLS: list[tuple[str, str, Any, set[str]]] = [
    ("POST", "/v1/parties", {"parties": [{}]}, {"authority"}),
    ("POST", "/v1/requests/draft", draft_request, {"bank"}),
    ("GET", "/v1/provisions/tasks", None, {"provider"}),
    ("POST", "/v1/certificates", {"request": NO_ULID}, {"platform"}),
    ("POST", f"/v1/certificates/{NUMBER}/correction", None, {"platform"}),
    ("POST", f"/v1/certificates/{NUMBER}/supersede", {"successor": NUMBER}, {"platform"}),
    (
        "POST",
        f"/v1/certificates/{NUMBER}/revoke",
        {"reason": "fraud"},
        {"platform"},
    ),
    ("POST", f"/v1/certificates/{NUMBER}/suspend", {"reason": "fraud"}, {"platform"}),
    ("POST", f"/v1/certificates/{NUMBER}/resume", {"reason": "lifted"}, {"platform"}),
    ("POST", f"/v1/certificates/{NUMBER}/hold", {"reason": "court"}, {"authority", "supervisor"}),
    ("POST", f"/v1/certificates/{NUMBER}/lift", {}, {"authority", "supervisor"}),
    ("POST", "/v1/holds", {"statements": [NOWHERE], "reason": "court"}, {"authority", "supervisor"}),
    ("POST", "/v1/holds/lift", {"statements": [NOWHERE]}, {"authority", "supervisor"}),
    ("POST", "/v1/assets", lambda _: {"resource": resource("roles")}, {"provider", "bank"}),
    ("POST", f"/v1/assets/{NOWHERE}/confirmation", {}, {"registrar"}),
    ("POST", f"/v1/parties/{NOWHERE}/recovery", {"public_key": "02" + "1" * 64}, {"authority"}),
    ("POST", f"/v1/parties/{NOWHERE}/further-accounts", {"public_key": "02" + "1" * 64}, {"authority"}),
    ("POST", f"/v1/assets/{NOWHERE}/reassignment", {"to": NOWHERE, "grounds": "x"}, {"authority"}),
    ("POST", f"/v1/parties/{NOWHERE}/compromise", {"account": "0x" + "0" * 40, "compromised_at": 1}, {"authority"}),
    ("PUT", f"/v1/parties/{NOWHERE}/roles", {"roles": ["subject"]}, {"authority"}),
    (
        "PUT",
        f"/v1/parties/{NOWHERE}/status",
        {"status": "closed", "reason": "court"},
        {"authority", "supervisor"},
    ),
    ("POST", f"/v1/assets/{NOWHERE}/freeze", {"reason": "court"}, {"authority", "supervisor"}),
]


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize(("method", "path", "body", "allowed"), CALLS, ids=[call[1] for call in CALLS])
def test_each_call_is_allowed_only_for_the_parties_that_the_table_of_calls_lists(
    api: Api, method: str, path: str, body: Any, allowed: set[str], part: str
) -> None:
    given = body(api) if callable(body) else body
    if path == "/v1/parties":
        given = {"parties": [party_of(api)]}
    answer = api.call(part, method, path, json=given)
    refused = answer.status_code == 403 and answer.json()["code"] in ("PARTY_LACKS_ROLE", "NOT_A_MEMBER")
    assert refused == (part not in allowed), answer.text


def party_of(api: Api) -> dict[str, Any]:
    """Return a body that onboards the firm, which is known already, so that an allowed call changes nothing."""
    row = api.pilot.ledger.parties.register.get(api.parties["firm"])
    identity = api.pilot.ledger.parties.register.identity(row.id)
    return {"kind": row.kind, "region": row.region, "public_key": row.public_key} | identity


def test_strangers_cannot_read_certificates(api: Api) -> None:
    number = certificate(api)
    assert api.get("firm", f"/v1/certificates/{number}").status_code == 200
    assert api.get("bank", f"/v1/certificates/{number}").status_code == 200
    assert api.get("other_bank", f"/v1/certificates/{number}").json()["code"] == "PARTY_LACKS_ROLE"
    assert api.get("bank", f"/v1/certificates/{number}/bundle").json()["code"] == "PARTY_LACKS_ROLE"
    assert api.get("platform", f"/v1/certificates/{number}/bundle").json()["code"] == "PARTY_LACKS_ROLE"


@pytest.mark.parametrize("part", ["registrar", "authority", "supervisor"])
def test_authority_and_supervisor_and_registrar_cannot_revoke_an_issuers_certificate(api: Api, part: str) -> None:
    """Authority, supervisor and registrar can only annul a registration. They can revoke neither a usage certificate
    nor a registration certificate.
    """
    asset = registered(api, f"not-by-{part}")
    for number in (certificate(api), api.get("registrar", f"/v1/assets/{asset}").json()["certificate_no"]):
        for act in ("revoke", "suspend", "resume"):
            refused = api.post(part, f"/v1/certificates/{number}/{act}", {"reason": "fraud"})
            assert (refused.status_code, refused.json()["code"]) == (403, "PARTY_LACKS_ROLE")
    annulled = api.post(part, f"/v1/assets/{asset}/annulment", {"reason": "fraud", "grounds": "来源不合法"})
    assert annulled.json()["state"] == "annulled", annulled.text
