"""Withdrawals over HTTP: the party signs two texts with the same key, an entry for the log and a message for
the chain.
"""

from __future__ import annotations

from typing import Any

import pytest

from ledger.domain.parties import Role
from ledger.parties.custody import new_key, signer_of_key
from ledger.proof.acts import sign_act, withdrawals_message
from ledger.proof.bundle import parse_chain
from ledger.proof.jws import Signer, sign_entry
from ledger.proof.suites.suite import ES256, ES256K, SM2SM3, Suite
from tests.support.api.parts import handed_in
from tests.support.api.stage import Consent, Stage


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def path_of(consent: Consent) -> str:
    return f"/v1/authorizations/{consent.authorization}/withdrawal"


def signed(drafted: dict[str, Any], signer: Signer, **members: Any) -> dict[str, Any]:
    """Return the body to submit: the drafted entry with the given members changed, and the message for the chain (the
    act). ``signer`` signs both.
    """
    body: dict[str, Any] = {"statement": sign_entry(drafted["entry"] | members, signer)}
    if drafted["message"] is not None:
        body |= {"act": sign_act(bytes.fromhex(drafted["message"]), signer).hex()}
    return body


@pytest.mark.parametrize("suite", [ES256K, ES256], ids=lambda suite: suite.alg)
def test_a_subject_that_keeps_its_own_key_can_withdraw_by_signing_the_entry_and_the_act(
    stage: Stage, suite: Suite
) -> None:
    subject = f"subject {stage.code()}"
    signer = stage.join_away(subject, suite, Role.SUBJECT)
    consent = stage.consented(subject)
    assert stage.done(stage.post("C", "/v1/verify", stage.presented(consent)))["valid"]
    drafted = stage.done(stage.get(subject, path_of(consent)))
    digest = stage.ledger.usage.authorizations.get(consent.authorization).digest
    chain = parse_chain(stage.done(stage.get("U", "/v1/ledger"))["chain"], "chain")
    assert drafted["message"] == withdrawals_message(chain, signer.kid, [digest]).hex()
    assert (drafted["entry"]["statement"], drafted["entry"]["ledger"]) == (f"sha-256:{digest}", chain.ledger)
    presented = stage.presented(consent)
    withdrawn = stage.post(subject, path_of(consent), signed(drafted, signer))
    assert (withdrawn.status_code, withdrawn.json()["state"]) == (200, "withdrawn"), withdrawn.text
    times = stage.ledger.reader.withdrawn_at(stage.ledger.reader.party_no(stage.parties[subject]), digest)
    assert times.at > 0 and not times.reported_at
    report = stage.done(stage.post("C", "/v1/verify", presented))
    assert (report["result"], report["disclosed"]) == ("revoked", {})
    assert stage.done(stage.get("U", f"/v1/certificates/{consent.number}/status"))["state"] == "revoked"
    events = stage.done(stage.get(subject, f"/v1/certificates/{consent.number}/provenance"))["events"]
    assert [event["by"] for event in events if event["name"] == "Withdrawn"] == [stage.parties[subject]]


def test_a_repeated_withdrawal_changes_nothing(stage: Stage) -> None:
    consent = stage.consented()
    body = stage.withdrawal("S", path_of(consent))
    first, second = (stage.done(stage.post("S", path_of(consent), body)) for _ in range(2))
    assert first == second


def test_withdrawing_before_a_certificate_is_issued_cancels_the_request(stage: Stage) -> None:
    authorization = stage.authorised()
    path = f"/v1/authorizations/{authorization}/withdrawal"
    stage.done(stage.post("S", path, stage.withdrawal("S", path)))
    answer = stage.post("I", "/v1/certificates", stage.issuing(authorization))
    assert code(answer) == (409, "REQUEST_NOT_AUTHORIZED")


def test_a_withdrawal_without_the_signed_act_is_refused_and_the_error_has_the_message_to_sign(stage: Stage) -> None:
    consent = stage.consented()
    body = stage.withdrawal("S", path_of(consent))
    refused = stage.post("S", path_of(consent), body | {"act": None})
    assert code(refused) == (409, "ACT_SIGNATURE_REQUIRED")
    details = refused.json()["details"]
    assert details["account"] == stage.signer("S").kid
    act = sign_act(bytes.fromhex(details["to_sign"]), stage.signer("S")).hex()
    assert stage.done(stage.post("S", path_of(consent), body | {"act": act}))["state"] == "withdrawn"


@pytest.mark.parametrize("suite", [ES256K, ES256], ids=lambda suite: suite.alg)
def test_an_act_that_the_subject_did_not_sign_withdraws_nothing(stage: Stage, suite: Suite) -> None:
    consent = stage.consented()
    body = stage.withdrawal("S", path_of(consent))
    message = bytes.fromhex(stage.done(stage.get("S", path_of(consent)))["message"])
    wrong = sign_act(message, signer_of_key(new_key(suite))).hex()
    refused = stage.post("S", path_of(consent), body | {"act": wrong})
    assert code(refused) == (403, "LOG_SIGNATURE_INVALID")
    assert stage.done(stage.get("S", f"/v1/authorizations/{consent.authorization}"))["state"] == "active"
    assert stage.done(stage.post("C", "/v1/verify", stage.presented(consent)))["valid"]


def test_a_withdrawal_with_an_sm2_key_needs_only_the_signed_entry(stage: Stage) -> None:
    """The chain cannot check SM2 signatures, so no signed act is sent to the contract. The signed entry alone withdraws
    the consent, and takes effect when it is anchored.
    """
    subject = f"subject {stage.code()}"
    stage.join_away(subject, ES256K, Role.SUBJECT)
    consent = stage.consented(subject)
    signer = signer_of_key(new_key(SM2SM3))
    further = f"/v1/parties/{stage.parties[subject]}/further-accounts"
    stage.done(stage.post("A", further, handed_in(stage.api, signer, stage.parties[subject])))
    drafted = stage.done(stage.get(subject, f"{path_of(consent)}?account={signer.kid}"))
    assert drafted["message"] is None
    assert stage.done(stage.post(subject, path_of(consent), signed(drafted, signer)))["state"] == "withdrawn"
    kept = stage.done(stage.get(subject, f"/v1/certificates/{consent.number}/bundle"))
    assert any('"type":"withdrawal"' in item["entry"] for item in kept["evidence"])


def test_a_party_cannot_withdraw_for_another_party(stage: Stage) -> None:
    """A withdrawal entry that another subject signed is refused, even if the path names the caller's own
    authorization.
    """
    own, others = stage.consented(), stage.others
    theirs = stage.withdrawal("S2", path_of(others))
    for who, address in (("S", path_of(others)), ("S", path_of(own)), ("C", path_of(own)), ("I", path_of(own))):
        assert code(stage.post(who, address, theirs)) == (403, "PARTY_LACKS_ROLE")
    for who in ("S2", "C", "P", "I", "A", "V"):
        assert code(stage.get(who, path_of(own))) == (403, "PARTY_LACKS_ROLE")
    # The state may be "expired", because other tests move the clock ahead, but it must not be "withdrawn".
    assert stage.done(stage.get("S2", f"/v1/authorizations/{others.authorization}"))["state"] in ("active", "expired")


def test_a_signed_entry_is_refused_if_the_url_names_a_different_authorization(stage: Stage) -> None:
    first, second = stage.consented(), stage.consented()
    answer = stage.post("S", path_of(first), stage.withdrawal("S", path_of(second)))
    assert code(answer) == (422, "WITHDRAWAL_OF_ANOTHER")
    for consent in (first, second):
        assert stage.done(stage.get("S", f"/v1/authorizations/{consent.authorization}"))["state"] == "active"


def test_a_withdrawal_entry_for_a_foreign_ledger_or_signed_with_a_wrong_key_is_refused(stage: Stage) -> None:
    consent = stage.consented()
    drafted = stage.done(stage.get("S", path_of(consent)))
    elsewhere = signed(drafted, stage.signer("S"), ledger="0" * 64)
    assert code(stage.post("S", path_of(consent), elsewhere)) == (422, "LEDGER_DIFFERS")
    forged = signed(drafted, stage.signer("S2"))
    assert code(stage.post("S", path_of(consent), forged)) == (403, "SIGNER_NOT_SUBJECT")


def test_drafting_a_withdrawal_for_another_partys_account_is_refused(stage: Stage) -> None:
    answer = stage.get("S", f"{path_of(stage.own)}?account={stage.signer('S2').kid}")
    assert code(answer) == (403, "PARTY_UNKNOWN_ACCOUNT")


def test_a_provider_can_withdraw_its_own_provision(stage: Stage) -> None:
    consent = stage.consented()
    path = f"/v1/provisions/{consent.provision}/withdrawal"
    for who in ("S", "C", "P2", "I", "A"):
        assert code(stage.get(who, path)) == (403, "PARTY_LACKS_ROLE")
    body = stage.withdrawal("P", path)
    assert code(stage.post("P2", path, body)) == (403, "PARTY_LACKS_ROLE")
    assert stage.done(stage.post("C", "/v1/verify", stage.presented(consent)))["valid"]
    withdrawn = stage.done(stage.post("P", path, body))
    assert (withdrawn["party"], withdrawn["reason"]) == (stage.parties["P"], "data_error")
    report = stage.done(stage.post("C", "/v1/verify", stage.presented(consent)))
    failed = [check["code"] for check in report["checks"] if check["verdict"] == "failed"]
    # The report also contains REVOKED: after a withdrawal the issuer revokes the certificate, and everybody can read
    # this in the certificate's public status.
    assert (report["result"], failed) == ("revoked", ["REVOKED", "PROVISION_WITHDRAWN"])
