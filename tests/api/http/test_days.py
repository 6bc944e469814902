"""Every route refuses days outside the supported calendar."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api.parts import Api

DIGEST = "sha-256:" + "5a" * 32
ASSET = "9f" * 32
QUALITY = {"scores": {"accuracy": 90}, "weights": {"accuracy": 100}, "report": DIGEST}
VALUATION = {"method": "cost", "amount": 100, "base_date": "2026-01-01", "report": DIGEST}
BODIES = {
    "valuation": (f"/v1/assets/{ASSET}/valuations", VALUATION, "last_day"),
    "valuation, base": (f"/v1/assets/{ASSET}/valuations", VALUATION | {"last_day": "2027-01-01"}, "base_date"),
    "quality": (f"/v1/assets/{ASSET}/quality-reports", QUALITY, "last_day"),
    "lien": (f"/v1/assets/{ASSET}/liens", {"creditor": ASSET, "amount": 1, "contract": DIGEST}, "due"),
    "demand": (
        "/v1/demands",
        {"title": "企业用电", "purpose": "核贷", "legal_basis": "办法第一条", "fields": ["kwh"]},
        "wanted_by",
    ),
}


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01", "1899-12-31"])
@pytest.mark.parametrize(("path", "body", "member"), BODIES.values(), ids=BODIES.keys())
def test_a_day_outside_the_supported_calendar_is_refused(
    api: Api, path: str, body: dict[str, Any], member: str, day: str
) -> None:
    answer = api.post("provider", path, body | {member: day})
    assert answer.status_code == 422, answer.text
    assert (answer.json()["code"], answer.json()["where"]) == ("REQUEST_SHAPE", f"body.{member}")
