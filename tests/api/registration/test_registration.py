"""The life of a registered asset over HTTP, from application to annulment; and an application by a broker."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.chain.accounts import account_of, new_private_key
from ledger.chain.sending.relay import ForwardRequest, sign_request
from ledger.domain.codes import synthetic_uscc
from ledger.domain.days import DAY
from ledger.proof.jws import LocalSigner
from tests.api.assets import resource
from tests.support.api.parts import Api, handed_in

DIGEST = "sha-256:" + "5a" * 32


class Walk:
    """Calls the routes of one asset."""

    def __init__(self, api: Api, asset: str) -> None:
        self.api, self.asset = api, asset

    def do(self, part: str, act: str, **body: Any) -> dict[str, Any]:
        answer = self.api.post(part, f"/v1/assets/{self.asset}/{act}", body)
        assert answer.status_code in (200, 201), answer.text
        return dict(answer.json())

    def refused(self, part: str, act: str, **body: Any) -> str:
        answer = self.api.post(part, f"/v1/assets/{self.asset}/{act}", body)
        assert answer.headers["content-type"] == "application/problem+json", answer.text
        return str(answer.json()["code"])

    def see(self, what: str) -> list[dict[str, Any]]:
        return list(self.api.get("registrar", f"/v1/assets/{self.asset}/{what}").json()["items"])


@pytest.fixture
def walk(api: Api) -> Walk:
    """Return an asset whose application is on public notice."""
    submitted = api.post("provider", "/v1/assets", {"resource": resource("life")})
    assert submitted.status_code == 201, submitted.text
    walk = Walk(api, submitted.json()["asset"])
    assert (submitted.json()["state"], submitted.json()["stage"]) == ("applied", "submitted")
    for act, stage in (("acceptance", "accepted"), ("review", "reviewed"), ("notice", "noticed")):
        assert walk.refused("provider", act) == "PARTY_LACKS_ROLE"
        assert walk.do("registrar", act)["stage"] == stage
    return walk


def test_an_asset_goes_from_public_notice_to_annulment(api: Api, walk: Walk) -> None:
    bank, other = api.parties["bank"], api.parties["other_bank"]
    walk.do("bank", "objections", grounds="ours", evidence=DIGEST)
    api.pilot.after_notice([walk.asset])
    assert walk.refused("registrar", "confirmation") == "ASSET_OBJECTED"
    for state in ("admitted", "verified", "dismissed"):
        walk.do("registrar", "objections/1/decision", state=state, reason="looked into")
    confirmed = walk.do("registrar", "confirmation")
    assert (confirmed["state"], confirmed["stage"]) == ("confirmed", None)
    first = confirmed["certificate_no"]

    start = api.pilot.ledger.clock() + 60
    right = {"kind": "operate", "grantee": bank, "start": start, "end": start + 90 * DAY, "scope": "credit"}
    walk.do("provider", "rights", **right, exclusive=True)
    assert walk.refused("provider", "rights", **right) == "ASSET_RIGHT_OVERLAPS"
    walk.do("provider", "liens", creditor=bank, amount=10_000, due="2030-01-01", contract=DIGEST)
    assert walk.refused("provider", "transfer", to=other) == "ASSET_PLEDGED"
    assert walk.refused("provider", "liens/0/release") == "ASSET_WRONG_LIEN"
    walk.do("bank", "liens/0/consent", to=other)
    walk.do("provider", "transfer", to=other)
    moved = walk.do("other_bank", "transfer/acceptance")
    assert moved["holder"] == other
    assert moved["certificate_no"] != first

    walk.do("firm", "objections", grounds="taken from us")
    for state in ("admitted", "verified", "upheld"):
        walk.do("registrar", "objections/2/decision", state=state, reason="found to be so")
    assert walk.refused("other_bank", "transfer", to=bank) == "ASSET_FROZEN"
    assert walk.refused("other_bank", "annulment", reason="fraud", grounds="mine") == "PARTY_LACKS_ROLE"
    assert walk.do("registrar", "annulment", reason="fraud", grounds="unlawful source")["state"] == "annulled"
    assert [row["state"] for row in walk.see("objections")] == ["dismissed", "upheld"]
    assert [(row["rank"], row["creditor"]) for row in walk.see("liens")] == [(1, bank)]
    provenance = api.get("bank", f"/v1/assets/{walk.asset}/provenance").json()
    assert provenance["completeness"]["complete"]
    assert provenance["events"][-1]["name"] == "Annulled"


def test_a_broker_with_a_mandate_can_apply_if_its_principal_signs(api: Api) -> None:
    key, broker_key = new_private_key(), new_private_key()
    principal = _onboard(api, "utility", 9301, key)
    broker = _onboard(api, "broker", 9302, broker_key)
    body = {"resource": resource("brokered"), "applicant": principal["id"]}
    assert _post(api, broker, "/v1/assets", body).json()["code"] == "MANDATE_MISSING"
    mandate = {"broker": broker["id"], "valid_to": api.pilot.ledger.clock() + 30 * DAY}
    given = _post(api, principal, f"/v1/parties/{principal['id']}/mandates", mandate)
    assert given.status_code == 201, given.text
    unsigned = _post(api, broker, "/v1/assets", body)
    assert (unsigned.status_code, unsigned.json()["code"]) == (409, "SIGNATURE_REQUIRED")
    typed_data = unsigned.json()["details"]["typed_data"]
    signature = sign_request(ForwardRequest(typed_data), key).signature
    signed = {"signed_request": {"typed_data": typed_data, "signature": signature}}
    registered = _post(api, broker, "/v1/assets", body | signed)
    assert registered.status_code == 201, registered.text
    assert registered.json()["holder"] == principal["id"]
    assert registered.json()["applications"][0]["agent"] == broker["id"]


def _onboard(api: Api, kind: str, number: int, key: bytes) -> dict[str, Any]:
    party = {
        "kind": kind,
        "name": f"湛江第{number}号（演示）",
        "identifier": synthetic_uscc("440800", number),
        "region": "440800",
        **handed_in(api, LocalSigner(key, account_of(key))),
    }
    created = api.post("authority", "/v1/parties", {"parties": [party]})
    assert created.status_code == 201, created.text
    (row,) = created.json()["parties"]
    api.tokens.elsewhere[row["id"]] = LocalSigner(key, account_of(key))
    return dict(row) | {"headers": api.tokens.header(row["id"])}


def _post(api: Api, party: dict[str, Any], path: str, body: dict[str, Any]) -> Any:
    return api.post(None, path, body, headers=party["headers"])
