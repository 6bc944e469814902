"""Enrolment over HTTP: a party submits its first key with a one-time code."""

from __future__ import annotations

from ledger.parties.custody import new_key, signer_of_key
from tests.api.parties.visitors import Visitor, code
from tests.support.api.parts import handed_in


def test_a_party_submits_its_first_key_with_a_code(visitor: Visitor) -> None:
    api = visitor.api
    newcomer = {"kind": "person", "name": "示例某人", "identifier": "440899195001010025", "region": "440825"}
    (row,) = api.post("authority", "/v1/parties", {"parties": [newcomer]}).json()["parties"]
    assert (row["no"], row["account"], row["roles"]) == (None, None, [])
    assert api.get("bank", f"/v1/parties/{row['id']}").json() == row
    given = api.post("authority", f"/v1/parties/{row['id']}/enrolment").json()
    signer = signer_of_key(new_key())
    # The enrolment code does not work as a session token.
    assert code(visitor.get("/v1/parties", given["code"])) == (401, "SESSION_UNKNOWN")
    body = handed_in(api, signer) | {"code": given["code"]}
    unproven = visitor.client.post("/v1/enrolments", json=body | {"proof": "00" * 64})
    assert code(unproven) == (422, "PROOF_INVALID")
    enrolled = visitor.client.post("/v1/enrolments", json=body)
    assert (enrolled.status_code, enrolled.json()["account"]) == (201, signer.kid), enrolled.text
    assert code(visitor.client.post("/v1/enrolments", json=body)) == (401, "ENROLMENT_UNKNOWN")
    token = visitor.token(row["id"], signer)
    assert visitor.get("/v1/readings", token).json() == {"items": [], "next_cursor": None}
