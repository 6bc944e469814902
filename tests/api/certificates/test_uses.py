"""Uses over HTTP by a consumer that keeps its own key. The consumer signs the use, and then receives the content of the
certificate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from ledger.certificates.verification.verification import LAPSE_SECONDS
from ledger.parties.custody import new_key, signer_of_key
from ledger.proof.acts import sign_act, uses_message
from ledger.proof.bundle import ChainId, parse_chain
from ledger.proof.jws import Signer
from ledger.proof.suites.p256 import ORDER
from ledger.proof.suites.suite import ES256, ES256K, Suite
from tests.support.api.stage import FIELDS, Consent, Stage

SECP256K1_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


@dataclass(frozen=True, slots=True)
class Away:
    """A consumer that keeps its own key, and a certificate issued to this consumer."""

    stage: Stage
    name: str
    signer: Signer
    consent: Consent

    def presented(self) -> dict[str, Any]:
        return self.stage.presented(self.consent)

    def propose(self, presented: dict[str, Any]) -> Any:
        return self.stage.post(self.name, "/v1/presentations", presented)

    def proposed(self) -> dict[str, Any]:
        """Send a new presentation, and return the use that the consumer has to sign."""
        answer = self.propose(self.presented())
        assert answer.status_code == 202, answer.text
        use: dict[str, Any] = answer.json()["use"]
        return use

    def sign(self, use: dict[str, Any], signer: Signer | None = None) -> Any:
        """Sign a use, submit the signature, and return the response."""
        return self.stage.post(self.name, *self.stage.signed_use(signer or self.signer, use))

    def hand_in(self, use: dict[str, Any], signature: bytes) -> Any:
        path = f"/v1/presentations/{use['presentation']}/use"
        return self.stage.post(self.name, path, {"signature": signature.hex()})


def away(stage: Stage, suite: Suite) -> Away:
    name = f"away {stage.code()}"
    signer = stage.join_away(name, suite)
    return Away(stage, name, signer, stage.consented("S", name, "P"))


@pytest.fixture(params=[ES256K, ES256], ids=lambda suite: suite.alg)
def bank(request: pytest.FixtureRequest, stage: Stage) -> Away:
    return away(stage, request.param)


def chain_of(stage: Stage) -> ChainId:
    return parse_chain(stage.done(stage.get("U", "/v1/ledger"))["chain"], "chain")


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_the_consumer_gets_the_disclosed_values_only_after_its_signed_use_is_in_a_block(
    stage: Stage, bank: Away
) -> None:
    answer = bank.propose(bank.presented())
    report, use = answer.json(), answer.json()["use"]
    assert (answer.status_code, report["result"]) == (202, "valid")
    assert (report["disclosed"], report["claims"]) == ({}, {})
    request = stage.ledger.usage.requests.get(stage.ledger.usage.holdings.get(bank.consent.number).request_id or "")
    assert (use["request"], use["ordinal"], use["account"]) == (request.digest, 1, bank.signer.kid)
    again = uses_message(chain_of(stage), bank.signer.kid, use["deadline"], [(request.digest, 1)])
    assert use["message"] == again.hex()
    used = bank.sign(use)
    assert used.status_code == 200, used.text
    assert used.json()["valid"] and used.json()["disclosed"].keys() == set(FIELDS)
    listed = stage.done(stage.get("S", f"/v1/certificates/{bank.consent.number}/presentations"))
    assert [(item["result"], item["ordinal"]) for item in listed["items"]] == [("valid", 1)]
    assert listed["elsewhere"] == []
    events = stage.done(stage.get("S", f"/v1/certificates/{bank.consent.number}/provenance"))["events"]
    assert [event["by"] for event in events if event["name"] == "Used"] == [stage.parties[bank.name]]


def test_a_signed_use_that_is_submitted_a_second_time_is_refused(bank: Away) -> None:
    use = bank.proposed()
    assert bank.sign(use).json()["valid"]
    again = bank.sign(use)
    assert (code(again), again.json()["details"]["result"]) == ((409, "NONCE_REPLAYED"), "valid")
    late = bank.propose(bank.presented())
    assert (late.status_code, late.json()["result"], late.json()["use"]) == (200, "used_up", None)
    assert (late.json()["disclosed"], late.json()["claims"]) == ({}, {})


def test_a_repeated_presentation_gives_the_consumer_the_same_use_to_sign(bank: Away) -> None:
    presented = bank.presented()
    first, second = (bank.propose(presented).json()["use"] for _ in range(2))
    assert first == second
    assert bank.sign(first).json()["valid"]
    assert code(bank.sign(second)) == (409, "NONCE_REPLAYED")


def test_only_one_of_two_proposed_uses_of_a_single_use_certificate_is_counted(bank: Away) -> None:
    first, second = bank.proposed(), bank.proposed()
    assert (first["ordinal"], second["ordinal"]) == (1, 1)
    assert bank.sign(second).json()["valid"]
    late = bank.sign(first).json()
    assert (late["result"], late["disclosed"], late["claims"]) == ("used_up", {}, {})


def test_a_use_with_a_wrong_signature_is_not_counted_and_returns_no_content(bank: Away) -> None:
    use = bank.proposed()
    right = sign_act(bytes.fromhex(use["message"]), bank.signer)
    order = SECP256K1_ORDER if len(right) == 64 else ORDER
    high = right[:32] + (order - int.from_bytes(right[32:64], "big")).to_bytes(32, "big") + right[64:]
    flipped = right[:10] + bytes([right[10] ^ 1]) + right[11:]
    message = bytes.fromhex(use["message"])
    another = sign_act(message[:-1] + bytes([message[-1] ^ 1]), bank.signer)
    for wrong in (high, flipped, another, bytes(len(right))):
        refused = bank.hand_in(use, wrong)
        assert code(refused) == (403, "LOG_SIGNATURE_INVALID"), wrong.hex()
        assert not {"disclosed", "claims"} & refused.json().keys()
    assert bank.hand_in(use, right).json()["valid"]


@pytest.mark.parametrize("suite", [ES256K, ES256], ids=lambda suite: suite.alg)
def test_a_use_signed_with_another_partys_key_is_refused(bank: Away, suite: Suite) -> None:
    """The wrong key belongs to another party on the chain, or to no party."""
    use = bank.proposed()
    assert code(bank.sign(use, signer_of_key(new_key(suite)))) == (403, "LOG_SIGNATURE_INVALID")
    other = away(bank.stage, suite)
    assert code(bank.sign(use, other.signer)) == (403, "LOG_SIGNATURE_INVALID")
    assert bank.sign(use).json()["valid"]


def test_only_the_consumer_of_a_presentation_can_submit_the_signed_use(stage: Stage, bank: Away) -> None:
    path, body = stage.signed_use(bank.signer, bank.proposed())
    for who in ("S", "C", "I", "A", "V"):
        assert code(stage.post(who, path, body)) == (404, "PRESENTATION_UNKNOWN")
    assert code(stage.post("U", path, body)) == (401, "SESSION_MISSING")
    assert stage.post(bank.name, path, body).json()["valid"]


def test_a_signature_for_one_use_is_refused_for_another_use(stage: Stage) -> None:
    first = away(stage, ES256K)
    second = Away(stage, first.name, first.signer, stage.consented("S", first.name, "P"))
    use, other = first.proposed(), second.proposed()
    assert code(first.hand_in(use, sign_act(bytes.fromhex(other["message"]), first.signer))) == (
        403,
        "LOG_SIGNATURE_INVALID",
    )


@pytest.mark.parametrize("signature", ["", "00" * 63, "00" * 65, "00" * 129, "0x" + "00" * 64, "AB" * 64, "zz" * 64])
def test_a_malformed_signature_of_a_use_is_refused(bank: Away, signature: str) -> None:
    answer = bank.stage.post(bank.name, f"/v1/presentations/{'0' * 26}/use", {"signature": signature})
    assert (code(answer), answer.json()["where"]) == ((422, "REQUEST_SHAPE"), "body.signature")


def test_a_use_that_is_signed_too_late_is_refused(stage: Stage, bank: Away) -> None:
    use = bank.proposed()
    stage.pilot.skip(LAPSE_SECONDS + 1)
    late = bank.sign(use)
    assert (code(late), late.json()["details"]["result"]) == ((409, "NONCE_REPLAYED"), "lapsed")
    fresh = bank.proposed()
    assert fresh["ordinal"] == 1
    assert bank.sign(fresh).json()["valid"]


def test_a_consumer_gets_no_use_to_sign_if_the_service_keeps_the_consumers_key(stage: Stage) -> None:
    consent = stage.consented()
    used = stage.post("C", "/v1/presentations", stage.presented(consent))
    assert (used.status_code, used.json()["valid"], used.json()["use"]) == (200, True, None)


def test_an_invalid_presentation_gives_the_consumer_no_use_to_sign(stage: Stage, bank: Away) -> None:
    presented = bank.presented()
    stage.done(stage.post("A", f"/v1/certificates/{bank.consent.number}/hold", {"reason": "court"}))
    answer = bank.propose(presented)
    assert (answer.status_code, answer.json()["result"], answer.json()["use"]) == (200, "suspended", None)
