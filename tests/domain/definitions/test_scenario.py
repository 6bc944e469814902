"""Scenarios: every member of a definition, and the rules that a definition must follow."""

from __future__ import annotations

import re
from copy import deepcopy
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.canonical import canonical, digest
from ledger.domain.definitions.reader import Bilingual
from ledger.domain.definitions.scenario import Price
from ledger.domain.definitions.scenario_reader import SCENARIO_STANDINGS, scenario_of
from ledger.domain.entry_forms import LEGAL_BASES, PAYLOAD_MODES
from ledger.domain.grades import SCENARIO_GRADES
from ledger.domain.parties import PartyKind
from ledger.domain.rules.predicates import OPS
from ledger.errors import InvalidInput
from tests.support.sample_rules import RULES
from tests.support.scenario_definitions import DEFINITION, GONE, Path, changed

SCENARIO = scenario_of(DEFINITION, "S01.yaml")


def place(path: Path) -> str:
    """Return the path of a member in the form that errors use: ``fields[0]: title: zh``."""
    text = "S01.yaml"
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f": {step}"
    return text


def refused(raw: Any) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        scenario_of(raw, "S01.yaml")
    return caught.value


def test_definition_is_read_as_a_scenario() -> None:
    assert SCENARIO.code == "S01"
    assert SCENARIO.version == 2
    assert SCENARIO.title == Bilingual("电费贷", "Credit on electricity history")
    assert SCENARIO.guide_version == 3
    assert SCENARIO.basis_note == Bilingual("有公开报道", "Publicly reported")
    assert SCENARIO.request_note == Bilingual("标段编号", "number of the tender section")
    assert SCENARIO.consumer_kinds == {PartyKind.BANK}
    assert SCENARIO.subject_kinds == {PartyKind.ENTERPRISE, PartyKind.PUBLIC_INST}
    assert SCENARIO.channels == ("subject_carried", "government_platform")
    assert (SCENARIO.pilot_from, SCENARIO.pilot_to) == (date(2026, 3, 1), date(2026, 12, 31))
    assert SCENARIO.price == Price("industry", "call", 500, 200)
    assert SCENARIO.requires_pia is False
    assert [source.name for source in SCENARIO.sources] == ["electricity", "tax"]
    assert [field.name for field in SCENARIO.fields] == ["subject_name", "months_covered", "usage", "owes"]
    assert [field.source for field in SCENARIO.fields] == ["electricity"] * 3 + ["tax"]
    assert SCENARIO.fields[1].title == Bilingual("月数", "Months")
    assert SCENARIO.fields[1].rule == {"op": "count_distinct", "column": "month"}
    assert SCENARIO.rights_duties == DEFINITION["rights_duties"]


def test_the_digest_covers_the_whole_definition() -> None:
    assert SCENARIO.digest == digest(canonical(DEFINITION))
    assert scenario_of(dict(reversed(DEFINITION.items())), "other").digest == SCENARIO.digest
    assert scenario_of(changed(("fields", 1, "title", "en"), "Month"), "S01.yaml").digest != SCENARIO.digest


def test_reading_does_not_change_the_definition() -> None:
    before = deepcopy(DEFINITION)
    scenario_of(DEFINITION, "S01.yaml")
    assert before == DEFINITION


OBJECTS: list[Path] = [
    (),
    ("title",),
    ("purpose",),
    ("basis_note",),
    ("request_note",),
    ("price",),
    ("sources", 1),
    ("sources", 1, "title"),
    ("fields", 1),
    ("fields", 1, "title"),
    ("rights_duties",),
]


def members_of(path: Path) -> list[str]:
    value: Any = DEFINITION
    for step in path:
        value = value[step]
    return list(value)


# A test gives each member values of wrong types. It leaves out the value given here, which the member may have.
FITTING: dict[Path, Any] = {("request_note",): None, ("requires_pia",): True}
MEMBERS = [(*path, member) for path in OBJECTS for member in members_of(path)]


@pytest.mark.parametrize("path", MEMBERS, ids=place)
def test_missing_member_is_refused(path: Path) -> None:
    error = refused(changed(path, GONE))
    assert (error.code, error.where) == ("SCENARIO_INVALID", place(path))


@pytest.mark.parametrize("path", [path for path in MEMBERS if path[-1] != "rule"], ids=place)
def test_member_of_a_wrong_type_is_refused(path: Path) -> None:
    values: list[Any] = [None, 1.5, True, {}, "", [None], [[]], [1.5]]
    for value in values:
        if value is FITTING.get(path, GONE):
            continue
        error = refused(changed(path, value))
        assert error.code == "SCENARIO_INVALID"
        assert error.where is not None
        assert error.where.startswith(place(path))


@pytest.mark.parametrize("value", [1, 1.5, None, "later", [1.5], {"a": b"x"}], ids=repr)
@pytest.mark.parametrize("path", OBJECTS, ids=place)
def test_unknown_member_is_refused(path: Path, value: Any) -> None:
    """The error names the unknown member even if the member's value has no canonical JSON form."""
    error = refused(changed((*path, "remark"), value))
    assert (error.code, error.where) == ("SCENARIO_INVALID", place((*path, "remark")))


def test_member_with_a_name_that_is_not_text_is_refused() -> None:
    assert refused(DEFINITION | {7: "x"}).where == "S01.yaml: 7"


@pytest.mark.parametrize("raw", [None, [], "S01", 1, [DEFINITION]], ids=["nothing", "list", "text", "number", "listed"])
def test_definition_that_is_not_a_mapping_is_refused(raw: Any) -> None:
    error = refused(raw)
    assert (error.code, error.where) == ("SCENARIO_INVALID", "S01.yaml")


NESTED: list[Path] = [path for path in OBJECTS if path] + [("fields", 0), ("sources", 0)]


@pytest.mark.parametrize("path", NESTED, ids=place)
def test_member_that_is_not_a_mapping_is_refused(path: Path) -> None:
    error = refused(changed(path, ["x"]))
    assert (error.code, error.where) == ("SCENARIO_INVALID", place(path))


INVALID: dict[str, tuple[Path, Any]] = {
    "code of one digit": (("code",), "S1"),
    "code in lower case": (("code",), "s01"),
    "code of full-width digits": (("code",), "S０１"),
    "code and a line feed": (("code",), "S01\n"),
    "version 0": (("version",), 0),
    "version too large": (("version",), 10_001),
    "version as a text": (("version",), "1"),
    "unknown standing": (("standing",), "official"),
    "title too long": (("title", "zh"), "x" * 2_001),
    "domain empty": (("domain",), ""),
    "unknown kind of consumer": (("consumer_kinds",), ["bank", "shop"]),
    "kinds as a text": (("sources", 0, "provider_kinds"), "utility"),
    "a source that nobody supplies": (("sources", 0, "provider_kinds"), []),
    "kind twice": (("consumer_kinds",), ["bank", "gov_dept", "bank"]),
    "guide of no version": (("guide_version",), 0),
    "assessment as a text": (("requires_pia",), "yes"),
    "no note in one language": (("request_note", "en"), None),
    "day that does not exist": (("pilot_from",), "2026-02-30"),
    "day in words": (("pilot_from",), "today"),
    "day without dashes": (("pilot_from",), "20260301"),
    "day and time": (("pilot_to",), "2026-12-31T00:00:00"),
    "day of an object": (("pilot_to",), date(2026, 12, 31)),
    "day without a day after it": (("pilot_to",), "9999-12-31"),
    "pilot that ends before it begins": (("pilot_to",), "2026-02-28"),
    "channel twice": (("channels",), ["subject_carried", "subject_carried"]),
    "a bank and no channel": (("channels",), []),
    "unknown use": (("price", "use"), "private"),
    "unknown unit": (("price", "unit"), "month"),
    "cap below 0": (("price", "cap"), -1),
    "amount in yuan": (("price", "amount"), 1.5),
    "amount as a text": (("price", "amount"), "200"),
    "name of a source in capitals": (("sources", 1, "name"), "Tax"),
    "nine sources": (("sources",), [DEFINITION["sources"][0]] * 9),
    "65 fields": (("fields",), [DEFINITION["fields"][0]] * 65),
    "source twice": (("sources", 1, "name"), "electricity"),
    "field twice": (("fields", 1, "name"), "subject_name"),
    "field of no source": (("fields", 3, "source"), "water"),
    "source without a field": (("fields", 3, "source"), "electricity"),
    "type of another rule": (("fields", 2, "type"), "integer"),
    "kind as a list": (("subject_kinds",), [["person"]]),
    "unknown basis": (("legal_basis",), "interest"),
    "unknown mode": (("payload_mode",), "full"),
    "no day": (("max_validity_days",), 0),
    "too many days": (("max_validity_days",), 3_661),
    "no use": (("max_uses",), 0),
    "too many uses": (("max_uses",), 65_536),
    "retention below 0": (("retention_days",), -1),
    "retention too long": (("retention_days",), 36_601),
    "unknown channel": (("channels",), ["e-mail"]),
    "core data": (("grade",), "core"),
    "fields as a mapping": (("fields",), {"name": "a"}),
    "name of a field in capitals": (("fields", 1, "name"), "Months"),
    "name of a field with a hyphen": (("fields", 1, "name"), "months-covered"),
    "name of a field too long": (("fields", 1, "name"), "m" * 65),
    "name of a field that a claim has": (("fields", 1, "name"), "grade"),
    "name of a field that every entry has": (("fields", 1, "name"), "type"),
    "unknown type of field": (("fields", 1, "type"), "float"),
    "empty list of duties": (("rights_duties", "consumer"), []),
    "duties as a text": (("rights_duties", "consumer"), "tell"),
    "duty that is no code": (("rights_duties", "consumer"), ["Tell them"]),
    "duty that is no text": (("rights_duties", "consumer"), [1]),
}


@pytest.mark.parametrize(("path", "value"), INVALID.values(), ids=INVALID.keys())
def test_invalid_member_is_refused(path: Path, value: Any) -> None:
    error = refused(changed(path, value))
    where = "S01.yaml: sources[1]" if path[-1] == "source" and value == "electricity" else place(path)
    assert (error.code, error.where) == ("SCENARIO_INVALID", where)
    assert error.hint
    assert re.search("[一-鿿]", error.message) and re.search("[A-Za-z]{3}", error.message), "both languages"


# Changes of a scenario whose subjects are persons; for each, the member that is refused (None: the change is allowed).
PERSONS: dict[str, tuple[dict[str, Any], str | None]] = {
    "consent": ({"subject_kinds": ["person"]}, "legal_basis"),
    "a sole trader": ({"subject_kinds": ["enterprise", "sole_trader"]}, "legal_basis"),
    "contract": ({"subject_kinds": ["person"], "legal_basis": "contract", "requires_pia": True}, "legal_basis"),
    "no assessment": ({"subject_kinds": ["person"], "legal_basis": "separate_consent"}, "requires_pia"),
    "both": ({"subject_kinds": ["person"], "legal_basis": "separate_consent", "requires_pia": True}, None),
    "a duty": ({"subject_kinds": ["person"], "legal_basis": "statutory_duty"}, None),
    "enterprises only": ({"subject_kinds": ["enterprise"]}, None),
}


@pytest.mark.parametrize(("members", "member"), PERSONS.values(), ids=PERSONS.keys())
def test_scenario_with_persons_needs_consent_and_assessment(members: dict[str, Any], member: str | None) -> None:
    definition = DEFINITION | {"fields": DEFINITION["fields"][1:]} | members
    if member is None:
        scenario_of(definition, "S01.yaml")
        return
    error = refused(definition)
    assert (error.code, error.where) == ("SCENARIO_INVALID", place((member,)))


@pytest.mark.parametrize("basis", ["separate_consent", "statutory_duty"])
def test_claim_that_names_a_person_is_refused(basis: str) -> None:
    error = refused(DEFINITION | {"subject_kinds": ["person"], "legal_basis": basis, "requires_pia": True})
    assert (error.code, error.where) == ("SCENARIO_INVALID", "S01.yaml: fields[0]: rule.op")


@pytest.mark.parametrize("text", ["...", "_sd", "_sd_alg"])
def test_reserved_names_of_sd_jwt_are_refused_in_texts(text: str) -> None:
    """If a text of a scenario contained a reserved name, every certificate of the scenario would be refused later."""
    error = refused(DEFINITION | {"purpose": DEFINITION["purpose"] | {"zh": text}})
    assert (error.code, error.where) == ("SCENARIO_INVALID", "S01.yaml: purpose.zh")
    rule = {"op": "latest", "column": "state", "order": "month", "choices": ["good", text]}
    first, *others = DEFINITION["fields"]
    error = refused(DEFINITION | {"fields": [first | {"rule": rule, "type": "category"}, *others]})
    assert (error.code, error.where) == ("RULE_INVALID", "S01.yaml: fields[0]: rule.choices")


@pytest.mark.parametrize("kind", ["gov_dept", "enterprise"])
def test_scenario_without_banks_needs_no_credit_channel(kind: str) -> None:
    assert not scenario_of(DEFINITION | {"consumer_kinds": [kind], "channels": []}, "S01.yaml").channels


# The rule for prices: public use is free, and a price is never above its cap.
PRICES: dict[str, tuple[dict[str, Any], str | None, str]] = {
    "public, free": ({"use": "public", "cap": 0, "amount": 0}, None, ""),
    "public with a cap": ({"use": "public", "cap": 1, "amount": 0}, "PRICE_PUBLIC_NOT_FREE", "cap"),
    "public with an amount": ({"use": "public", "cap": 0, "amount": 1}, "PRICE_PUBLIC_NOT_FREE", "amount"),
    "industry, free": ({"use": "industry", "cap": 0, "amount": 0}, None, ""),
    "industry, at the cap": ({"use": "industry", "cap": 500, "amount": 500}, None, ""),
    "industry, above the cap": ({"use": "industry", "cap": 500, "amount": 501}, "PRICE_OVER_CAP", "amount"),
}


@pytest.mark.parametrize(("price", "code", "member"), PRICES.values(), ids=PRICES.keys())
def test_the_price_must_follow_the_pricing_policy(price: dict[str, Any], code: str | None, member: str) -> None:
    definition = DEFINITION | {"price": {"unit": "call"} | price}
    if code is None:
        assert scenario_of(definition, "S01.yaml").price == Price(unit="call", **price)
        return
    error = refused(definition)
    assert (error.code, error.where) == (code, place(("price", member)))


@pytest.mark.parametrize("mode", PAYLOAD_MODES)
@pytest.mark.parametrize("op", RULES)
def test_rule_that_reveals_more_than_the_payload_mode_allows_is_refused(op: str, mode: str) -> None:
    field = {"name": "claim", "title": {"zh": "项", "en": "Claim"}, "source": "tax", "type": OPS[op].type}
    fields = [field | {"rule": RULES[op]}]
    definition = DEFINITION | {"payload_mode": mode, "sources": DEFINITION["sources"][1:], "fields": fields}
    if mode in OPS[op].modes:
        scenario_of(definition, "S01.yaml")
        return
    error = refused(definition)
    assert (error.code, error.where) == ("RULE_OUTSIDE_MODE", "S01.yaml: fields[0]: rule.op")


@pytest.mark.parametrize(
    ("rule", "where"),
    [
        (None, "S01.yaml: fields[1]: rule"),
        ({"op": "sum", "column": "month"}, "S01.yaml: fields[1]: rule"),
        ({"op": ["count_distinct"]}, "S01.yaml: fields[1]: rule"),
        ({"op": "count_distinct", "column": 1.5}, "S01.yaml: fields[1]: rule.column"),
    ],
    ids=["none", "unknown op", "op of a list", "column"],
)
def test_invalid_rule_of_a_field_is_refused(rule: Any, where: str) -> None:
    error = refused(changed(("fields", 1, "rule"), rule))
    assert (error.code, error.where) == ("RULE_INVALID", where)


VALID: dict[str, tuple[Path, Any]] = {
    "last version": (("version",), 10_000),
    "longest title": (("title", "zh"), "目" * 2_000),
    "nobody": (("consumer_kinds",), []),
    "longest validity": (("max_validity_days",), 3_660),
    "most uses": (("max_uses",), 65_535),
    "no retention": (("retention_days",), 0),
    "no note": (("request_note",), None),
    "a pilot of one day": (("pilot_to",), "2026-03-01"),
    "the last day": (("pilot_to",), "9998-12-31"),
    "longest name": (("fields", 0, "name"), "n" * 64),
    **{f"standing {value}": (("standing",), value) for value in SCENARIO_STANDINGS},
    **{f"basis {value}": (("legal_basis",), value) for value in LEGAL_BASES},
    **{f"grade {value}": (("grade",), value) for value in SCENARIO_GRADES},
}


@pytest.mark.parametrize(("path", "value"), VALID.values(), ids=VALID.keys())
def test_valid_member_is_accepted(path: Path, value: Any) -> None:
    assert scenario_of(changed(path, value), "S01.yaml").digest


@given(
    path=st.sampled_from(MEMBERS),
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=4,
    ),
)
def test_random_definition_is_loaded_or_refused_with_the_place_of_a_mistake(path: Path, value: Any) -> None:
    try:
        scenario_of(changed(path, value), "S01.yaml")
    except InvalidInput as error:
        assert error.code in ("SCENARIO_INVALID", "RULE_INVALID", "PRICE_PUBLIC_NOT_FREE", "PRICE_OVER_CAP")
        assert error.where is not None and error.where.startswith("S01.yaml")
