"""Erasing over HTTP: a subject erases its own texts; issuer and authority may erase a subject's texts for reasons other
than the subject's request.
"""

from __future__ import annotations

import pytest

from ledger.domain.parties import PartyKind, Role
from tests.api.flow import certificate, presented
from tests.support.api.parts import Api

REQUEST, COURT = {"reason": "subject_request"}, {"reason": "court"}


def test_the_subjects_own_copy_of_an_erased_certificate_is_still_valid(api: Api) -> None:
    number = certificate(api)
    nonce = api.get("bank", "/v1/presentations/nonce").json()["nonce"]
    held = presented(api, number, nonce)
    path = f"/v1/certificates/{number}"
    done = api.post("firm", f"{path}/erasure", REQUEST)
    assert done.status_code == 200, done.text
    answer = done.json()
    assert (answer["certificates"], answer["scrubbed"], answer["entry"]["by"]) == ([number], True, api.parties["firm"])
    assert api.post("firm", f"{path}/erasure", REQUEST).json() == answer
    gone = api.get("firm", f"{path}/bundle")
    assert (gone.status_code, gone.json()["code"]) == (404, "SEALED_ERASED")
    assert "持有人" in gone.json()["hint"] and "holder" in gone.json()["hint"]
    assert api.get("firm", path).status_code == 200
    events = api.get("firm", f"{path}/provenance").json()["events"]
    assert "Erased" in [event["name"] for event in events]
    assert api.post("bank", "/v1/presentations", {"bundle": held, "nonce": nonce}).json()["valid"]


def test_lists_can_be_read_after_an_erasure(api: Api) -> None:
    number = certificate(api)
    path = f"/v1/requests/{api.pilot.ledger.usage.holdings.get(number).request_id}"
    before = api.get("firm", path).json()
    assert before["note"]["business_ref"] == "LOAN-1"
    assert api.post("firm", f"/v1/certificates/{number}/erasure", REQUEST).status_code == 200
    assert api.get("bank", path).json() == before | {"note": None}
    consent = before["authorizations"][0]["id"]
    assert api.get("firm", f"/v1/authorizations/{consent}/notice").json()["code"] == "SEALED_ERASED"
    for listed in ("requests", "certificates", "parties", "authorizations"):
        assert api.get("firm", f"/v1/{listed}?limit=200").status_code == 200


def test_the_parties_concerned_by_an_erasure_can_read_its_log_entry(api: Api) -> None:
    number = certificate(api)
    seq = api.post("platform", f"/v1/certificates/{number}/erasure", COURT).json()["seq"]
    for part in ("firm", "bank", "provider", "platform", "supervisor"):
        assert api.get(part, f"/v1/log/entries/{seq}").json()["entry"]["reason"] == "court", part
    for part in ("other_firm", "other_bank"):
        assert api.get(part, f"/v1/log/entries/{seq}").json()["code"] == "PARTY_LACKS_ROLE"
    api.pilot.ledger.anchoring.flush()
    assert api.get("firm", f"/v1/log/entries/{seq}/proof").json()["type"] == "erasure"


@pytest.mark.parametrize("part", ["other_firm", "bank", "provider", "registrar", "supervisor"])
def test_parties_without_permission_cannot_erase_texts(api: Api, part: str) -> None:
    number = certificate(api)
    paths = (f"/v1/certificates/{number}/erasure", f"/v1/parties/{api.parties['firm']}/erasure")
    for path in paths:
        for body in (REQUEST, COURT):
            assert api.post(part, path, body).json()["code"] == "PARTY_LACKS_ROLE"
    assert api.get("firm", f"/v1/certificates/{number}/bundle").status_code == 200


def test_a_subject_erases_its_own_identity(api: Api) -> None:
    party = api.pilot.party(PartyKind.ENTERPRISE, Role.SUBJECT)
    headers = api.tokens.header(party)
    path = f"/v1/parties/{party}/erasure"
    answer = api.post(None, path, REQUEST, headers=headers).json()
    assert (answer["entry"]["subject"], answer["entry"]["targets"], answer["certificates"]) == (party, [], [])
    ended = api.post(None, path, REQUEST, headers=headers)
    assert (ended.status_code, ended.json()["code"]) == (401, "SESSION_UNKNOWN")
    assert api.get("bank", f"/v1/parties/{party}").json()["id"] == party


def test_an_erasure_with_an_invalid_reason_or_id_is_refused(api: Api) -> None:
    number, party = certificate(api), api.parties["firm"]
    for body in ({}, {"reason": "regret"}, REQUEST | {"also": 1}):
        assert api.post("firm", f"/v1/certificates/{number}/erasure", body).status_code == 422
    assert api.post("firm", f"/v1/certificates/{number}/erasure", COURT).json()["code"] == "ERASURE_REASON"
    assert api.post("platform", f"/v1/parties/{party}/erasure", REQUEST).json()["code"] == "ERASURE_REASON"
    unknown = api.post("platform", f"/v1/parties/{'0' * 64}/erasure", COURT)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "PARTY_UNKNOWN")
    assert api.post(None, f"/v1/certificates/{number}/erasure", REQUEST).status_code == 401
