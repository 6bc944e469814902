"""Scenarios over HTTP: everybody can read active scenarios, and a draft that breaks a rule is refused."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import pytest
import yaml

from ledger.rulebooks.scenarios import ScenarioBook, scenario_json
from tests.support.api.parts import Api


def definition() -> dict[str, Any]:
    text = files("ledger").joinpath("scenarios", "S11.yaml").read_text("utf-8")
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded


def test_the_public_can_read_every_scenario_completely(api: Api) -> None:
    answer = api.get(None, "/v1/scenarios")
    assert answer.status_code == 200
    shown = {each["code"]: each for each in answer.json()}
    for scenario in ScenarioBook.load().all():
        expected = json.loads(json.dumps(scenario_json(scenario)))
        approved = shown[scenario.code].pop("approved_by")
        assert shown[scenario.code] == expected
        assert set(approved) <= {"authority", "supervisor"}


def test_a_scenario_is_returned_with_its_legal_basis_and_its_limits_and_whether_it_is_in_force(api: Api) -> None:
    shown = api.get(None, "/v1/scenarios/S06").json()
    assert shown["standing"] == "proposed"
    assert "306" in shown["basis_note"]["zh"]
    assert (shown["legal_basis"], shown["payload_mode"], shown["requires_pia"]) == ("consent", "predicate", False)
    assert shown["price"] == {"use": "public", "unit": "product", "cap": 0, "amount": 0}
    assert (shown["pilot_from"], shown["pilot_to"]) == ("2025-01-01", "2030-12-31")
    assert shown["channels"] == ["subject_carried", "government_platform"]
    assert [source["name"] for source in shown["sources"]] == ["credit"]
    assert {field["source"] for field in shown["fields"]} == {"credit"}
    assert shown["rule_version"] == "S06/1/engine-2"


BROKEN: dict[str, tuple[dict[str, Any], str, str]] = {
    "price above its cap": (
        {"price": {"use": "industry", "unit": "call", "cap": 1, "amount": 2}},
        "PRICE_OVER_CAP",
        "scenario: price: amount",
    ),
    "public use that costs": (
        {"price": {"use": "public", "unit": "call", "cap": 1, "amount": 0}},
        "PRICE_PUBLIC_NOT_FREE",
        "scenario: price: cap",
    ),
    "a series as a predicate": ({"payload_mode": "predicate"}, "RULE_OUTSIDE_MODE", "scenario: fields[0]: rule.op"),
    "persons by mere consent": ({"subject_kinds": ["person"]}, "SCENARIO_INVALID", "scenario: legal_basis"),
}


@pytest.mark.parametrize(("members", "code", "where"), BROKEN.values(), ids=BROKEN.keys())
def test_a_draft_that_breaks_a_rule_is_refused(api: Api, members: dict[str, Any], code: str, where: str) -> None:
    refused = api.post("platform", "/v1/scenarios/drafts", {"scenario": definition() | members})
    assert refused.status_code == 422
    assert (refused.json()["code"], refused.json()["where"]) == (code, where)


def test_a_draft_with_a_different_request_note_has_a_different_digest(api: Api) -> None:
    changed = definition() | {"request_note": {"zh": "园区编号", "en": "number of the park"}}
    kept = api.post("platform", "/v1/scenarios/drafts", {"scenario": changed})
    assert kept.status_code == 201
    assert kept.json()["definition"] == changed
    assert kept.json()["digest"] != api.get(None, "/v1/scenarios/S11").json()["digest"]
