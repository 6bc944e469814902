"""The package's twelve scenarios: their properties, and the claims that their rules compute from the rows that each
file describes.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml

from ledger.domain.canonical import canonical, digest
from ledger.domain.days import SHANGHAI
from ledger.domain.definitions.reader import Bilingual
from ledger.domain.definitions.scenario import PERSONS, Scenario
from ledger.domain.definitions.scenario_reader import CREDIT_CHANNELS, scenario_of
from ledger.domain.parties import PartyKind
from ledger.domain.rules.predicates import compute
from ledger.rulebooks.scenarios import ScenarioBook, scenario_json

PACKAGED = sorted(Path(str(files("ledger") / "scenarios")).glob("*.yaml"))
BOOK = ScenarioBook.load()
TWELVE = [f"S{number:02d}" for number in range(1, 13)]
ATTRIBUTES = {"name": "湛江示例金属制品有限公司", "uscc": "91440802MA9X00011Y"}
DIGEST = "sha-256:" + "9f" * 32
YEAR_OF_MONTHS = [f"2025{month:02d}" for month in range(1, 13)]


def monthly(**columns: Any) -> list[dict[str, str]]:
    """Return a row for each month of 2025. If a cell is a callable, it computes the text from the month's index."""
    return [
        {"month": month} | {name: str(value(place) if callable(value) else value) for name, value in columns.items()}
        for place, month in enumerate(YEAR_OF_MONTHS)
    ]


def daily(**columns: str) -> list[dict[str, str]]:
    return [{"day": "20260115"} | columns]


# For each source: rows like those that the scenario file's comment describes, and the claims that the rules compute
# from these rows.
ELECTRICITY = monthly(
    kwh=lambda place: 9000 + 100 * place,
    on_time=lambda place: "no" if place == 3 else "yes",
    arrears=lambda place: "yes" if place == 3 else "no",
    opened="201803",
    meter_digest=DIGEST,
)
CREDIT = [
    {"year": str(year), "market": "none", "tax": "none", "social_insurance": "none", "environment": state}
    | {"work_safety": "open" if year == 2019 else "none"}
    for year, state in zip(range(2019, 2026), ["none"] * 5 + ["repaired", "none"], strict=True)
]
SCORES = monthly(score=lambda place: 60 + place)
SAMPLES: dict[tuple[str, str], tuple[list[dict[str, str]], dict[str, Any]]] = {
    ("S01", "electricity"): (
        ELECTRICITY,
        {
            "subject_name": ATTRIBUTES["name"],
            "subject_uscc": ATTRIBUTES["uscc"],
            "months_covered": 12,
            "usage_series": [[row["month"], row["kwh"]] for row in ELECTRICITY],
            "usage_trend": "rising",
            "usage_band": "10000–50000",
            "on_time_percent": 91,
            "on_time_95": False,
            "has_arrears": True,
            "account_age_months": 93,
            "meter_digest": DIGEST,
        },
    ),
    ("S02", "social_insurance"): (
        monthly(base="5200"),
        {"months_paid": 12, "paid_6_running": True, "base_band": "5000–8000"},
    ),
    ("S03", "social_insurance"): (SCORES, {"social_insurance_score": 71}),
    ("S03", "vehicle"): (SCORES, {"vehicle_score": 71}),
    ("S03", "housing_fund"): (SCORES, {"housing_fund_score": 71}),
    ("S04", "housing_fund"): (
        monthly(status="active"),
        {"months_paid": 12, "last_paid_month": "202512", "account_status": "active"},
    ),
    ("S05", "tax"): (
        monthly(level="B", sales="128000.50", owes=lambda place: "yes" if place == 0 else "no"),
        {"credit_level": "B", "sales_band_12m": "1000000–5000000", "months_reported": 12, "owes_tax": False},
    ),
    ("S06", "credit"): (
        CREDIT,
        {"span_from": "2021", "span_to": "2025", "market": "none", "tax": "none", "social_insurance": "none"}
        | {"environment": "repaired", "work_safety": "none"},
    ),
    ("S07", "market"): (daily(licence="valid"), {"licence_valid": True}),
    ("S07", "tax"): (daily(standing="owing"), {"tax_clear": False}),
    ("S07", "social_insurance"): (daily(standing="clear"), {"social_insurance_clear": True}),
    ("S07", "credit"): (daily(listing="listed"), {"not_blacklisted": False}),
    ("S08", "trading"): (
        daily(award_no="ZB2026-0012", amount="3600000", buyer="示例采购单位", contract_digest=DIGEST, pledge="free"),
        {"award_no": "ZB2026-0012", "award_day": "20260115", "amount_band": "1000000–5000000"}
        | {"buyer": "示例采购单位", "contract_digest": DIGEST, "not_pledged": True},
    ),
    ("S09", "natural_resources"): (
        daily(status="valid", number_digest=DIGEST),
        {"land_permit_status": "valid", "land_permit_digest": DIGEST},
    ),
    ("S09", "construction"): (
        daily(status="expired", number_digest=DIGEST),
        {"building_permit_status": "expired", "building_permit_digest": DIGEST},
    ),
    ("S09", "e_certificates"): (
        daily(status="revoked", number_digest=DIGEST),
        {"business_licence_status": "revoked", "business_licence_digest": DIGEST},
    ),
    ("S10", "registry"): (daily(standing="clear"), {"registry_clear": True}),
    ("S10", "police"): (daily(document="invalid"), {"identity_valid": False}),
    ("S10", "tax"): (daily(standing="clear"), {"tax_clear": True}),
    ("S11", "water"): (
        monthly(used=lambda place: 400 + 20 * place),
        {"water_index": [[month, 100 + 5 * place] for place, month in enumerate(YEAR_OF_MONTHS)]},
    ),
    ("S11", "gas"): (monthly(used="1300.5"), {"gas_index": [[month, 100] for month in YEAR_OF_MONTHS]}),
    ("S12", "social_insurance"): ([{"year": "2025", "insured": "35"}], {"insured_10": True}),
    ("S12", "tax"): ([{"year": "2025", "standing": "clear"}], {"tax_clear": True}),
    ("S12", "statistics"): ([{"year": "2025", "output": "1999.99"}], {"output_2000": False}),
}


def of_twelve(*codes: str) -> set[str]:
    return set(TWELVE) & set(codes)


def those(condition: Any) -> set[str]:
    return {code for code in TWELVE if condition(BOOK.get(code))}


@pytest.mark.parametrize("path", PACKAGED, ids=lambda path: path.name)
def test_every_scenario_of_the_package_is_valid(path: Path) -> None:
    raw = yaml.safe_load(path.read_text("utf-8"))
    scenario = BOOK.get(path.stem)
    assert scenario == scenario_of(raw, path.name)
    assert scenario.code == path.stem
    assert scenario.digest == digest(canonical(raw)), "any YAML reader returns the same definition"
    assert scenario.max_uses == 1, "one authorization, one use"


def test_definitions_are_ordered_by_code() -> None:
    assert [scenario.code for scenario in BOOK.all()] == ["S00", *TWELVE, "S51"]


def test_the_registration_scenario_has_neither_subjects_nor_consumers() -> None:
    registration = BOOK.get("S00")
    assert not registration.fields
    assert not registration.sources
    assert not registration.subject_kinds | registration.consumer_kinds


def test_this_file_has_sample_rows_for_every_source_of_the_twelve_scenarios() -> None:
    assert [(code, source.name) for code in TWELVE for source in BOOK.get(code).sources] == list(SAMPLES)


@pytest.mark.parametrize(("code", "source"), SAMPLES, ids="-".join)
def test_the_rules_compute_every_claim_from_the_described_rows(code: str, source: str) -> None:
    rows, claims = SAMPLES[code, source]
    scenario = BOOK.get(code)
    assert {field.name: compute(field.rule, rows, ATTRIBUTES) for field in scenario.fields_of(source)} == claims
    assert set(scenario.columns_of(source)) == set(rows[0]), "every supplied column is read by a rule"


@pytest.mark.parametrize("code", TWELVE)
def test_a_scenario_file_describes_its_sources_and_columns_for_the_provider(code: str) -> None:
    (path,) = [path for path in PACKAGED if path.stem == code]
    comment = "\n".join(line for line in path.read_text("utf-8").splitlines() if line.startswith("#"))
    for source in BOOK.get(code).sources:
        for word in (source.name, *BOOK.get(code).columns_of(source.name)):
            assert re.search(rf"\b{word}\b", comment), word


def test_the_twelve_scenarios_have_the_expected_legal_bases_and_sources() -> None:
    assert those(lambda item: item.standing == "documented") == of_twelve("S01", "S02", "S03")
    assert those(lambda item: item.standing == "proposed") == of_twelve(*TWELVE[3:])
    assert those(lambda item: item.requires_pia) == of_twelve("S02", "S03", "S04", "S10")
    assert those(lambda item: item.legal_basis == "separate_consent") == of_twelve("S02", "S03", "S04", "S10")
    assert those(lambda item: item.legal_basis == "statutory_duty") == of_twelve("S09", "S12")
    assert those(lambda item: len(item.sources) > 1) == of_twelve("S03", "S07", "S09", "S10", "S11", "S12")
    assert {BOOK.get(code).payload_mode for code in TWELVE} == {"raw", "aggregate", "predicate", "component"}


def test_scenario_s03_computes_one_component_from_each_of_its_three_sources() -> None:
    scenario = BOOK.get("S03")
    assert [len(scenario.fields_of(source.name)) for source in scenario.sources] == [1, 1, 1]
    assert scenario.payload_mode == "component"


def test_the_tender_is_named_in_the_request_but_in_no_source_or_claim() -> None:
    assert BOOK.get("S07").request_note == Bilingual("标段编号", "number of the tender section")
    assert {field.type for field in BOOK.get("S07").fields} == {"boolean"}


def test_the_subjects_of_scenario_s12_have_the_right_to_opt_out() -> None:
    assert "opt_out" in BOOK.get("S12").rights_duties["subject"]
    assert {field.type for field in BOOK.get("S12").fields} == {"boolean"}
    assert scenario_json(BOOK.get("S12"))["rule_version"] == "S12/1/engine-2"


@pytest.mark.parametrize("scenario", BOOK.all(), ids=lambda scenario: scenario.code)
def test_scenarios_have_correct_parties_and_prices(scenario: Scenario) -> None:
    if scenario.subject_kinds & PERSONS:
        assert scenario.requires_pia
        assert "withdraw_prospectively" in scenario.rights_duties["subject"]
        assert "refuse_without_disadvantage" in scenario.rights_duties["subject"]
    if PartyKind.BANK in scenario.consumer_kinds:
        assert set(scenario.channels) <= CREDIT_CHANNELS
    assert scenario.price.amount <= scenario.price.cap
    assert scenario.price.use == "industry" or scenario.price.cap == 0
    scenario.require_pilot(int(datetime(2026, 11, 25, tzinfo=SHANGHAI).astimezone(UTC).timestamp()))


def texts(scenario: Scenario) -> list[Bilingual]:
    noted = [scenario.request_note] if scenario.request_note else []
    shown = [scenario.title, scenario.purpose, scenario.basis_note, *noted]
    return shown + [source.title for source in scenario.sources] + [field.title for field in scenario.fields]


@pytest.mark.parametrize("scenario", BOOK.all(), ids=lambda scenario: scenario.code)
def test_scenario_texts_are_bilingual_and_do_not_claim_to_comply_with_a_law(scenario: Scenario) -> None:
    for text in texts(scenario):
        assert re.search("[一-鿿]", text.zh)
        assert re.search("[A-Za-z]{3}", text.en) and not re.search("[一-鿿]", text.en)
        for claim in ("国密", "合规", "依法", "法定", "法律效力", "根据《"):
            assert claim not in text.zh
        for claim in ("law", "legal effect", "compliant", "statut"):
            assert claim not in text.en.lower()
    if scenario.code in TWELVE:
        assert "配置" in scenario.basis_note.zh and "configuration" in scenario.basis_note.en
