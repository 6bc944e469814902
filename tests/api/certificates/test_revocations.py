"""Revoking many certificates with one call: what the call returns, and who may make it."""

from __future__ import annotations

import pytest

from ledger.usage.revocations import MAX_REVOCATIONS
from tests.support.api.stage import Stage

PATH = "/v1/certificates/revocations"
MISSING = "DAC-440802-2026-S01-99999999-A"


def test_revoking_many_certificates_returns_the_result_of_each_revocation(stage: Stage) -> None:
    numbers = [stage.consented().number for _ in range(2)]
    stage.done(stage.post("I", f"/v1/certificates/{numbers[0]}/revoke", {"reason": "fraud"}))
    body = {"numbers": [*numbers, MISSING, numbers[1]], "reason": "data_error"}
    answer = stage.done(stage.post("I", PATH, body))
    found = {item["certificate_no"]: (item["outcome"], item["code"]) for item in answer["items"]}
    assert found == {
        numbers[0]: ("ended_before", "LOG_ALREADY_REVOKED"),
        numbers[1]: ("revoked", None),
        MISSING: ("not_revoked", "CERTIFICATE_UNKNOWN"),
    }
    counts = {name: answer[name] for name in ("revoked", "ended_before", "not_revoked", "transactions")}
    assert counts == {"revoked": 1, "ended_before": 1, "not_revoked": 1, "transactions": 1}
    assert answer["gas"] > 21_000
    assert stage.done(stage.get("S", f"/v1/certificates/{numbers[1]}/status"))["state"] == "revoked"


def test_a_provider_revokes_only_certificates_with_its_data(stage: Stage) -> None:
    own, others = stage.consented().number, stage.others.number
    for numbers, reason in (([own, others], "data_error"), ([own, MISSING], "data_error"), ([own], "fraud")):
        refused = stage.post("P", PATH, {"numbers": numbers, "reason": reason})
        assert (refused.status_code, refused.json()["code"]) == (403, "PARTY_LACKS_ROLE")
    assert stage.done(stage.get("S", f"/v1/certificates/{own}/status"))["state"] == "active"
    assert stage.done(stage.post("P", PATH, {"numbers": [own], "reason": "data_error"}))["revoked"] == 1


@pytest.mark.parametrize(
    "numbers", [[], [MISSING] * (MAX_REVOCATIONS + 1), "DAC", [1]], ids=["none", "many", "text", "1"]
)
def test_a_revocation_with_an_invalid_list_of_certificate_numbers_is_refused(stage: Stage, numbers: object) -> None:
    refused = stage.post("I", PATH, {"numbers": numbers, "reason": "fraud"})
    assert refused.status_code == 422
    assert "numbers" in refused.text
