"""Assets over HTTP. If the service does not keep a party's key, the party signs EIP-712 typed data itself."""

from __future__ import annotations

from ledger.chain.accounts import account_of, new_private_key
from ledger.chain.sending.relay import ForwardRequest, sign_request
from ledger.domain.codes import synthetic_uscc
from ledger.proof.jws import LocalSigner
from tests.api.assets import registered, resource
from tests.support.api.parts import Api, handed_in


def test_provenance_shows_every_event_of_an_asset_from_registration_to_transfer(api: Api) -> None:
    asset = registered(api, "flow")
    offered = api.post("provider", f"/v1/assets/{asset}/transfer", {"to": api.parties["bank"]})
    assert offered.json()["offer"]["to"] == api.parties["bank"]
    accepted = api.post("bank", f"/v1/assets/{asset}/transfer/acceptance", {})
    assert accepted.json()["holder"] == api.parties["bank"]
    provenance = api.get("bank", f"/v1/assets/{asset}/provenance").json()
    assert provenance["completeness"]["complete"]
    assert [event["name"] for event in provenance["events"]][-1] == "TransferAccepted"


def test_an_offer_can_be_rejected_or_withdrawn(api: Api) -> None:
    asset = registered(api, "reject")
    offer = {"to": api.parties["bank"]}
    api.post("provider", f"/v1/assets/{asset}/transfer", offer)
    assert api.post("bank", f"/v1/assets/{asset}/transfer/rejection", {}).json()["offer"] is None
    api.post("provider", f"/v1/assets/{asset}/transfer", offer)
    assert api.post("provider", f"/v1/assets/{asset}/transfer/withdrawal", {}).json()["offer"] is None
    late = api.post("bank", f"/v1/assets/{asset}/transfer/acceptance", {})
    assert (late.status_code, late.json()["code"]) == (409, "ASSET_NO_OFFER")


def test_registering_the_same_content_twice_is_refused_and_the_error_names_the_earlier_registration(api: Api) -> None:
    asset = registered(api, "twice")
    copy = resource("twice") | {"code": "twice-again"}
    answer = api.post("provider", "/v1/assets", {"resource": copy})
    assert (answer.status_code, answer.json()["code"]) == (409, "DUPLICATE_REGISTRATION")
    assert answer.json()["details"]["earlier"] == asset


def test_a_party_that_keeps_its_own_key_can_act_by_signing_the_call(api: Api) -> None:
    key = new_private_key()
    newcomer = {
        "kind": "bank",
        "name": "湛江第三银行（演示）",
        "identifier": synthetic_uscc("440800", 9100),
        "region": "440800",
        **handed_in(api, LocalSigner(key, account_of(key))),
    }
    created = api.post("authority", "/v1/parties", {"parties": [newcomer]})
    assert created.status_code == 201, created.text
    (party,) = created.json()["parties"]
    assert party["account"] == account_of(key)
    api.tokens.elsewhere[party["id"]] = LocalSigner(key, account_of(key))
    # The session is begun only after the registration, because the public notice lasts for days and a session ends
    # sooner.
    asset = registered(api, "own-key")
    headers = api.tokens.header(party["id"])
    api.post("provider", f"/v1/assets/{asset}/transfer", {"to": party["id"]})
    path = f"/v1/assets/{asset}/transfer/acceptance"
    unsigned = api.post(None, path, {}, headers=headers)
    assert (unsigned.status_code, unsigned.json()["code"]) == (409, "SIGNATURE_REQUIRED")
    typed_data = unsigned.json()["details"]["typed_data"]
    signed = sign_request(ForwardRequest(typed_data), key)
    body = {"signed_request": {"typed_data": typed_data, "signature": signed.signature}}
    wrong = api.post(None, path.replace("acceptance", "rejection"), body, headers=headers)
    assert wrong.json()["code"] == "SIGNED_CALL_DIFFERS"
    accepted = api.post(None, path, body, headers=headers)
    assert accepted.json()["holder"] == party["id"], accepted.text
