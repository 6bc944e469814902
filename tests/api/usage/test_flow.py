"""A certificate goes from request to revocation over HTTP; every party signs with its own key, outside the service."""

from __future__ import annotations

import pytest

from ledger.connectors.answers import Refused
from ledger.domain.parties import PartyKind, Role
from ledger.proof.bundle import parse_chain
from tests.api.flow import answered, ask, authorise, certificate, ended, finished, issue, presented, supply
from tests.support.api.parts import Api


def request_of(api: Api, authorization: str) -> str:
    return str(api.get("firm", f"/v1/authorizations/{authorization}").json()["request"])


def test_a_certificate_goes_from_request_to_use_and_revocation(api: Api) -> None:
    number = certificate(api)
    nonce = api.get("bank", "/v1/presentations/nonce").json()["nonce"]
    bundle = presented(api, number, nonce)
    checked = api.post("bank", "/v1/verify", {"bundle": bundle, "nonce": nonce}).json()
    assert checked["valid"] and checked["disclosed"] == {"wage_band": "15–20"}
    other = api.post("other_bank", "/v1/verify", {"bundle": bundle, "nonce": nonce}).json()
    assert (other["result"], other["disclosed"]) == ("not_party", {})
    used = api.post("bank", "/v1/presentations", {"bundle": bundle, "nonce": nonce})
    assert used.json()["valid"]
    replay = api.post("bank", "/v1/presentations", {"bundle": bundle, "nonce": nonce})
    assert (replay.status_code, replay.json()["code"]) == (409, "NONCE_REPLAYED")
    revoked = api.post("platform", f"/v1/certificates/{number}/revoke", {"reason": "data_error"})
    assert (revoked.json()["state"], revoked.json()["reason"]) == ("revoked", "data_error")
    status = api.post("other_bank", "/v1/verify", {"certificate_no": number}).json()
    assert status["state"] == "revoked"
    answer = api.get("firm", f"/v1/certificates/{number}/provenance").json()
    names = {event["name"] for event in answer["events"]}
    assert names == {"Issued", "Anchored", "Verified", "Used", "StatusChanged"}
    assert answer["completeness"]["complete"]


def test_a_repeated_call_with_the_same_idempotency_key_returns_the_first_answer(api: Api) -> None:
    authorization = authorise(api)
    supply(api, authorization)
    headers = {"Idempotency-Key": "key-" + authorization}
    first, second = issue(api, authorization, headers=headers), issue(api, authorization, headers=headers)
    assert (first.status_code, first.json()) == (second.status_code, second.json())
    other = authorise(api)
    clash = issue(api, other, headers=headers)
    assert (clash.status_code, clash.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")


def test_a_call_for_two_certificates_issues_none_if_one_of_the_two_cannot_be_issued(api: Api) -> None:
    good, unsupplied = authorise(api), authorise(api)
    supply(api, good)
    wanted = [{"request": request_of(api, item)} for item in (good, unsupplied)]
    refused = ended(api, "platform", api.post("platform", "/v1/certificates/batch", {"items": wanted}))
    assert (refused["state"], refused["error"]["code"]) == ("refused", "NOT_ANSWERED_YET")
    items = api.get("platform", f"/v1/operations/{refused['id']}/items").json()["items"]
    assert [(item["outcome"], item["records"]) for item in items] == [("not_recorded", [])] * 2
    supply(api, unsupplied)
    accepted = ended(api, "platform", api.post("platform", "/v1/certificates/batch", {"items": wanted}))
    assert (accepted["state"], accepted["done"], accepted["refused"]) == ("done", 2, 0)
    items = api.get("platform", f"/v1/operations/{accepted['id']}/items").json()["items"]
    for item in items:
        assert api.get("platform", f"/v1/certificates/{item['records'][0]}").status_code == 200


def test_consumer_and_subject_can_read_a_request_but_only_the_subject_can_answer_it(api: Api) -> None:
    request = ask(api)
    path = f"/v1/requests/{request}"
    answer = api.get("firm", path).json()
    assert (answer["state"], answer["note"]["business_ref"], answer["authorizations"]) == ("sent", "LOAN-1", [])
    assert api.get("other_bank", path).json()["code"] == "PARTY_LACKS_ROLE"
    assert request in [each["id"] for each in api.get("firm", "/v1/requests?state=sent&limit=200").json()["items"]]
    for stranger in ("bank", "other_firm"):
        assert api.post(stranger, f"{path}/authorizations/draft", {}).json()["code"] == "PARTY_LACKS_ROLE"
        assert api.post(stranger, f"{path}/decline").json()["code"] == "PARTY_LACKS_ROLE"
    assert api.post("firm", f"{path}/authorizations/draft", {"fields": ["wage_band"]}).status_code == 200
    assert api.get("bank", path).json()["state"] == "seen"
    assert api.post("firm", f"{path}/decline").json()["state"] == "declined"
    assert api.post("bank", f"{path}/cancel").json()["code"] == "MOVE_NOT_ALLOWED"


def test_only_the_parties_of_a_request_can_read_its_encrypted_note(api: Api) -> None:
    """Authorities and supervisors can read the log, but the log does not contain the note."""
    authorization = authorise(api)
    request = request_of(api, authorization)
    for part in ("firm", "bank"):
        assert api.get(part, f"/v1/requests/{request}").json()["note"]["contact"] == "Credit department", part
    for part in ("firm", "bank", "provider"):
        answer = api.get(part, f"/v1/authorizations/{authorization}/notice")
        assert "Credit department" in answer.json()["text"], part
    for part in ("platform", "registrar", "authority", "supervisor"):
        seen = api.get(part, f"/v1/requests/{request}")
        assert (seen.status_code, seen.json()["note"]) == (200, None), part
        assert api.get(part, f"/v1/authorizations/{authorization}").status_code == 200, part
        refused = api.get(part, f"/v1/authorizations/{authorization}/notice")
        assert (refused.status_code, refused.json()["code"]) == (403, "NOT_YOURS"), part


def test_a_provider_can_refuse_to_supply_data_only_with_a_reason(api: Api) -> None:
    authorization = authorise(api)
    answer = answered(api, authorization, Refused("under_correction", api.pilot.ledger.clock()))
    assert (answer.json()["result"], answer.json()["reason"]) == ("refused", "under_correction")
    assert issue(api, authorization).json()["code"] == "NOTHING_SUPPLIED"


@pytest.mark.parametrize(("part", "stop", "go_on"), [("platform", "suspend", "resume"), ("supervisor", "hold", "lift")])
def test_the_issuer_can_suspend_a_certificate_and_a_supervisor_can_place_a_hold_on_it(
    api: Api, part: str, stop: str, go_on: str
) -> None:
    path = f"/v1/certificates/{certificate(api)}"
    stopped = api.post(part, f"{path}/{stop}", {"reason": "investigation"}).json()
    assert (stopped["state"], stopped["reason"]) == ("suspended", "investigation")
    assert api.get(None, f"{path}/status").json()["state"] == "suspended"
    # A hold is lifted by two supervisors together, so a second supervisor must exist.
    api.pilot.party(PartyKind.SUPERVISOR, Role.SUPERVISOR)
    assert api.post(part, f"{path}/{go_on}", {"reason": "lifted"}).json()["state"] == "active"


def test_no_certificate_is_issued_for_a_request_that_has_a_hold(api: Api) -> None:
    authorization = authorise(api)
    supply(api, authorization)
    request = api.get("firm", f"/v1/requests/{request_of(api, authorization)}").json()
    held = api.post("authority", "/v1/holds", {"statements": [request["digest"]], "reason": "court"})
    assert held.json()["items"] == [{"statement": request["digest"], "offices": ["authority"]}]
    refused = issue(api, authorization)
    assert (refused.status_code, refused.json()["code"]) == (409, "HELD")
    api.post("authority", "/v1/holds/lift", {"statements": [request["digest"]]})
    finished(api, issue(api, authorization).json())


def test_a_certificate_is_shown_with_its_digest_and_log_position(api: Api) -> None:
    number = certificate(api)
    shown = api.get("firm", f"/v1/certificates/{number}").json()
    entry = api.get("supervisor", f"/v1/log/entries/{shown['seq']}").json()
    assert (entry["digest"], entry["entry"]["seq"]) == (shown["digest"], shown["seq"])
    (listed,) = [
        each
        for each in api.get("firm", "/v1/certificates?limit=200").json()["items"]
        if each["certificate_no"] == number
    ]
    assert (listed["digest"], listed["seq"]) == (shown["digest"], shown["seq"])


def test_the_pages_of_a_list_have_no_gap_and_no_duplicate(api: Api) -> None:
    numbers = [certificate(api) for _ in range(3)]
    seen: list[str] = []
    cursor = ""
    while True:
        answer = api.get("firm", f"/v1/certificates?limit=2{cursor}").json()
        seen += [item["certificate_no"] for item in answer["items"]]
        if answer["next_cursor"] is None:
            break
        cursor = f"&cursor={answer['next_cursor']}"
    assert len(seen) == len(set(seen)) and set(numbers) <= set(seen)


def test_a_client_can_read_the_head_of_the_log_and_a_batch_and_an_inclusion_proof(api: Api) -> None:
    number = certificate(api)
    head = api.get(None, "/v1/log/head").json()
    assert head["complete"] and head["batches"] > 0
    batch = api.get(None, "/v1/log/batches/0").json()
    assert (batch["first_seq"], batch["state"]) == (0, "anchored")
    seq = api.get("firm", f"/v1/certificates/{number}").json()["seq"]
    proof = api.get("firm", f"/v1/log/entries/{seq}/proof").json()
    entry = api.get("firm", f"/v1/log/entries/{seq}").json()
    assert (proof["leaf"], proof["digest"], proof["position"]) == (entry["leaf"], entry["digest"], entry["position"])
    issuer = api.pilot.ledger.installation.issuer
    anchor = proof["anchor"]
    assert (proof["position"]["issuer"], anchor["issuer"]) == (issuer, issuer)
    assert anchor["first_seq"] + proof["position"]["index"] == seq


def test_a_client_can_compute_the_ledger_digest_from_the_chain(api: Api) -> None:
    """A client computes the ledger digest from eight values that it reads from the chain. Every draft that the client
    must sign contains the same digest.
    """
    named = api.get(None, "/v1/ledger").json()
    chain = parse_chain(named["chain"], "chain")
    assert chain.ledger == named["ledger"] == api.get(None, "/v1/log/head").json()["ledger"]
    assert chain == api.pilot.ledger.reader.chain
    request = api.get("bank", f"/v1/requests/{ask(api)}").json()
    assert request["entry"]["ledger"] == named["ledger"]
    bundle = api.get("firm", f"/v1/certificates/{certificate(api)}/bundle").json()
    assert bundle["chain"] == named["chain"]
