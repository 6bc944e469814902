"""Holds over HTTP: an authority or a supervisor places holds on signed statements, and lifts
only holds that its own role placed.
"""

from __future__ import annotations

from typing import Any

import pytest

from ledger.chain.accounts import account_of, new_private_key, public_key_of
from ledger.chain.sending.relay import ForwardRequest, sign_request
from ledger.domain.codes import synthetic_uscc
from ledger.domain.parties import PartyKind
from ledger.parties.keys.possession import possession_of
from ledger.parties.newcomers import NewParty
from ledger.proof.jws import LocalSigner
from tests.support.api.stage import Consent, Stage


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def failed(stage: Stage, consent: Consent) -> list[str]:
    """Present the certificate now, and return the codes of the checks that fail; an empty list if the presentation is
    valid.
    """
    report = stage.done(stage.post("C", "/v1/verify", stage.presented(consent)))
    assert bool(report["disclosed"]) == report["valid"]
    return [check["code"] for check in report["checks"] if check["verdict"] == "failed"]


def statements_of(stage: Stage, consent: Consent) -> dict[str, str]:
    """Return the digests of the signed statements: the certificate and its evidence (request, authorizations,
    provisions).
    """
    authorization = stage.ledger.usage.authorizations.get(consent.authorization)
    certificate = stage.done(stage.get("S", f"/v1/certificates/{consent.number}"))
    return {
        "certificate": certificate["digest"],
        "request": stage.ledger.usage.requests.get(authorization.request_id).digest,
        "authorization": authorization.digest,
        "provision": stage.ledger.usage.provisions.get(consent.provision).digest,
    }


@pytest.mark.parametrize("column", ["A", "V"])
def test_a_hold_on_a_certificate_covers_the_request_behind_the_certificate(stage: Stage, column: str) -> None:
    """A hold placed by certificate number covers the certificate and its request, but no authorization and no
    provision.
    """
    path = f"/v1/certificates/{stage.consented().number}"
    stage.done(stage.post(column, f"{path}/hold", {"reason": "court"}))
    stage.done(stage.post(column, f"{path}/lift", {}))
    events = stage.done(stage.get("S", f"{path}/provenance"))["events"]
    assert [event["by"] for event in events if event["name"] == "Held"] == [stage.parties[column]] * 4


def test_a_certificate_is_active_after_the_authority_and_the_supervisor_lift_their_holds(stage: Stage) -> None:
    """While there is a hold on a certificate, its issuer cannot make the certificate active again."""
    consent = stage.consented()
    path = f"/v1/certificates/{consent.number}"
    for column in ("A", "V"):
        assert stage.done(stage.post(column, f"{path}/hold", {"reason": "court"}))["state"] == "suspended"
    refused_resume = stage.post("I", f"{path}/resume", {"reason": "lifted"})
    assert (refused_resume.status_code, refused_resume.json()["code"]) == (409, "LOG_NOT_SUSPENDED")
    assert stage.done(stage.post("A", f"{path}/lift", {}))["state"] == "suspended"
    assert not stage.done(stage.post("C", "/v1/verify", stage.presented(consent)))["valid"]
    assert stage.done(stage.post("V", f"{path}/lift", {}))["state"] == "active"
    assert stage.done(stage.post("C", "/v1/verify", stage.presented(consent)))["valid"]


def test_no_hold_can_be_placed_on_a_registration_certificate(stage: Stage) -> None:
    number = stage.ledger.registration.registrations.get(stage.registered)["certificate_no"]
    for act in ("hold", "lift"):
        answer = stage.post("A", f"/v1/certificates/{number}/{act}", {"reason": "court"})
        assert (answer.status_code, answer.json()["code"]) == (409, "REGISTRATION_NOT_HELD")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("certificate", "HELD"),
        ("request", "HELD"),
        ("authorization", "AUTHORIZATION_HELD"),
        ("provision", "PROVISION_HELD"),
    ],
)
def test_an_authority_or_supervisor_can_place_a_hold_on_each_statement_behind_a_certificate(
    stage: Stage, kind: str, expected: str
) -> None:
    consent = stage.consented()
    statement = statements_of(stage, consent)[kind]
    held = stage.done(stage.post("V", "/v1/holds", {"statements": [statement], "reason": "investigation"}))
    assert held["items"] == [{"statement": statement, "offices": ["supervisor"]}]
    assert failed(stage, consent) == [expected]
    lifted = stage.done(stage.post("V", "/v1/holds/lift", {"statements": [statement]}))
    assert lifted["items"] == [{"statement": statement, "offices": []}]
    assert failed(stage, consent) == []


def test_a_second_hold_by_the_same_role_changes_nothing(stage: Stage) -> None:
    path = f"/v1/certificates/{stage.consented().number}"
    first, second = (stage.done(stage.post("A", f"{path}/hold", {"reason": "court"})) for _ in range(2))
    assert (first["state"], first["since"]) == (second["state"], second["since"])
    assert stage.done(stage.post("A", f"{path}/lift", {}))["state"] == "active"
    assert code(stage.post("A", f"{path}/lift", {})) == (409, "LOG_NOT_HELD")


def test_an_authority_that_keeps_its_own_key_signs_the_hold(stage: Stage) -> None:
    key, identifier = new_private_key(), synthetic_uscc("440804", 9650)
    signer = LocalSigner(key, account_of(key))
    proof = possession_of(stage.ledger.reader.chain, signer)
    office = NewParty(PartyKind.SUPERVISOR, "Another office", identifier, "440800", public_key_of(key), proof=proof)
    (row,) = stage.ledger.parties.onboarding.onboard(stage.ledger.authority, [office])
    stage.api.tokens.elsewhere[row.id] = signer
    headers = stage.api.tokens.header(row.id)
    path = f"/v1/certificates/{stage.consented().number}/hold"
    body: dict[str, Any] = {"reason": "court"}
    asked = stage.api.post(None, path, body, headers=headers)
    assert code(asked) == (409, "SIGNATURE_REQUIRED")
    typed_data = asked.json()["details"]["typed_data"]
    signature = sign_request(ForwardRequest(typed_data), key).signature
    body["signed_request"] = {"typed_data": typed_data, "signature": signature}
    other = f"/v1/certificates/{stage.consented().number}/hold"
    assert code(stage.api.post(None, other, body, headers=headers)) == (409, "SIGNED_CALL_DIFFERS")
    assert stage.api.post(None, path, body, headers=headers).json()["state"] == "suspended"


@pytest.mark.parametrize("statements", [[], ["0" * 63], ["A" * 64], ["sha-256:" + "0" * 64], ["0" * 64] * 101])
def test_a_hold_with_an_invalid_list_of_statements_is_refused(stage: Stage, statements: list[str]) -> None:
    for path in ("/v1/holds", "/v1/holds/lift"):
        answer = stage.post("A", path, {"statements": statements, "reason": "court"})
        assert code(answer) == (422, "REQUEST_SHAPE")
