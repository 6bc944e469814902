"""Scenarios: every member of a definition, and what an authorization may ask of one."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.canonical import canonical, digest
from ledger.domain.definition import Bilingual
from ledger.domain.parties import PartyKind
from ledger.domain.scenario import DAY, GRADES, LEGAL_BASES, STANDINGS, Scenario, scenario_of
from ledger.errors import Forbidden, InvalidInput

DEFINITION: dict[str, Any] = {
    "code": "S01",
    "version": 2,
    "standing": "documented",
    "title": {"zh": "电费贷", "en": "Credit on electricity history"},
    "purpose": {"zh": "贷款", "en": "A loan"},
    "domain": "普惠金融",
    "consumer_kinds": ["bank"],
    "provider_kinds": ["utility", "gov_dept"],
    "subject_kinds": ["enterprise", "sole_trader"],
    "legal_basis": "consent",
    "payload_mode": "predicate",
    "max_validity_days": 30,
    "max_uses": 3,
    "retention_days": 365,
    "channels": ["subject_carried", "government_platform"],
    "grade": "general_3",
    "fields": [
        {
            "name": "subject_name",
            "title": {"zh": "名称", "en": "Name"},
            "type": "text",
            "rule": {"op": "attribute", "of": "name"},
        },
        {
            "name": "months_covered",
            "title": {"zh": "月数", "en": "Months"},
            "type": "integer",
            "rule": {"op": "count_distinct", "column": "month"},
        },
    ],
    "rights_duties": {"subject": ["be_informed"], "provider": ["correct_errors"], "consumer": ["delete_it", "tell"]},
}
Path = tuple[str | int, ...]
SCENARIO = scenario_of(DEFINITION, "S01.yaml")
GONE = object()


def changed(path: Path, value: Any) -> dict[str, Any]:
    """The definition with one member replaced, or left out for ``GONE``."""
    definition = deepcopy(DEFINITION)
    parent: Any = definition
    for step in path[:-1]:
        parent = parent[step]
    if value is GONE:
        del parent[path[-1]]
    else:
        parent[path[-1]] = value
    return definition


def place(path: Path) -> str:
    """As errors name it: ``fields[0]: title: zh``."""
    text = "S01.yaml"
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f": {step}"
    return text


def refused(raw: Any) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        scenario_of(raw, "S01.yaml")
    return caught.value


def test_definition_as_a_scenario() -> None:
    assert SCENARIO.code == "S01"
    assert SCENARIO.version == 2
    assert SCENARIO.title == Bilingual("电费贷", "Credit on electricity history")
    assert SCENARIO.consumer_kinds == {PartyKind.BANK}
    assert SCENARIO.subject_kinds == {PartyKind.ENTERPRISE, PartyKind.SOLE_TRADER}
    assert SCENARIO.channels == ("subject_carried", "government_platform")
    assert [field.name for field in SCENARIO.fields] == ["subject_name", "months_covered"]
    assert SCENARIO.fields[1].title == Bilingual("月数", "Months")
    assert SCENARIO.fields[1].rule == {"op": "count_distinct", "column": "month"}
    assert SCENARIO.rights_duties == DEFINITION["rights_duties"]


def test_digest_covers_the_whole_definition() -> None:
    assert SCENARIO.digest == digest(canonical(DEFINITION))
    assert scenario_of(dict(reversed(DEFINITION.items())), "other").digest == SCENARIO.digest
    assert scenario_of(changed(("fields", 1, "title", "en"), "Month"), "S01.yaml").digest != SCENARIO.digest


def test_definition_is_left_alone() -> None:
    before = deepcopy(DEFINITION)
    scenario_of(DEFINITION, "S01.yaml")
    assert before == DEFINITION


OBJECTS: list[Path] = [(), ("title",), ("purpose",), ("fields", 1), ("fields", 1, "title"), ("rights_duties",)]


def members_of(path: Path) -> list[str]:
    value: Any = DEFINITION
    for step in path:
        value = value[step]
    return list(value)


MEMBERS = [(*path, member) for path in OBJECTS for member in members_of(path)]


@pytest.mark.parametrize("path", MEMBERS, ids=place)
def test_missing_member(path: Path) -> None:
    error = refused(changed(path, GONE))
    assert (error.code, error.where) == ("SCENARIO_INVALID", place(path))


@pytest.mark.parametrize("path", [path for path in MEMBERS if path[-1] != "rule"], ids=place)
def test_member_of_a_wrong_type(path: Path) -> None:
    for value in (None, 1.5, True, {}, "", [None], [[]], [1.5]):
        error = refused(changed(path, value))
        assert error.code == "SCENARIO_INVALID"
        assert error.where is not None
        assert error.where.startswith(place(path))


@pytest.mark.parametrize("value", [1, 1.5, None, "later", [1.5], {"a": b"x"}], ids=repr)
@pytest.mark.parametrize("path", OBJECTS, ids=place)
def test_unknown_member(path: Path, value: Any) -> None:
    """Named even where its value has no canonical form."""
    error = refused(changed((*path, "pilot_to"), value))
    assert (error.code, error.where) == ("SCENARIO_INVALID", place((*path, "pilot_to")))


def test_member_whose_name_is_no_text() -> None:
    assert refused(DEFINITION | {7: "x"}).where == "S01.yaml: 7"


@pytest.mark.parametrize("raw", [None, [], "S01", 1, [DEFINITION]], ids=["nothing", "list", "text", "number", "listed"])
def test_no_mapping(raw: Any) -> None:
    error = refused(raw)
    assert (error.code, error.where) == ("SCENARIO_INVALID", "S01.yaml")


@pytest.mark.parametrize("path", [("title",), ("fields", 0), ("fields", 1, "title"), ("rights_duties",)], ids=place)
def test_no_mapping_inside(path: Path) -> None:
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
    "kinds as a text": (("provider_kinds",), "utility"),
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
    "unknown type of field": (("fields", 1, "type"), "float"),
    "duties empty": (("rights_duties", "consumer"), []),
    "duties as a text": (("rights_duties", "consumer"), "tell"),
    "duty that is no code": (("rights_duties", "consumer"), ["Tell them"]),
    "duty that is no text": (("rights_duties", "consumer"), [1]),
}


@pytest.mark.parametrize(("path", "value"), INVALID.values(), ids=INVALID.keys())
def test_invalid_member(path: Path, value: Any) -> None:
    error = refused(changed(path, value))
    assert (error.code, error.where) == ("SCENARIO_INVALID", place(path))
    assert error.hint


def test_field_named_twice() -> None:
    error = refused(changed(("fields", 1, "name"), "subject_name"))
    assert (error.code, error.where) == ("SCENARIO_INVALID", "S01.yaml: fields")


@pytest.mark.parametrize(
    ("rule", "where"),
    [
        (None, "S01.yaml: fields[1].rule"),
        ({"op": "sum", "column": "month"}, "S01.yaml: fields[1].rule"),
        ({"op": ["count_distinct"]}, "S01.yaml: fields[1].rule"),
        ({"op": "count_distinct", "column": 1.5}, "S01.yaml: fields[1].rule.column"),
    ],
    ids=["none", "unknown op", "op of a list", "column"],
)
def test_rule_of_a_field(rule: Any, where: str) -> None:
    error = refused(changed(("fields", 1, "rule"), rule))
    assert (error.code, error.where) == ("RULE_INVALID", where)


VALID: dict[str, tuple[Path, Any]] = {
    "last version": (("version",), 10_000),
    "longest title": (("title", "zh"), "目" * 2_000),
    "nobody": (("consumer_kinds",), []),
    "longest validity": (("max_validity_days",), 3_660),
    "most uses": (("max_uses",), 65_535),
    "no retention": (("retention_days",), 0),
    "no field": (("fields",), []),
    "longest name": (("fields", 0, "name"), "n" * 64),
    **{f"standing {value}": (("standing",), value) for value in STANDINGS},
    **{f"basis {value}": (("legal_basis",), value) for value in LEGAL_BASES},
    **{f"grade {value}": (("grade",), value) for value in GRADES},
}


@pytest.mark.parametrize(("path", "value"), VALID.values(), ids=VALID.keys())
def test_valid_member(path: Path, value: Any) -> None:
    assert scenario_of(changed(path, value), "S01.yaml").digest


@given(
    path=st.sampled_from(MEMBERS),
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=4,
    ),
)
def test_any_other_definition_is_loaded_or_refused_with_its_place(path: Path, value: Any) -> None:
    try:
        scenario_of(changed(path, value), "S01.yaml")
    except InvalidInput as error:
        assert error.code in ("SCENARIO_INVALID", "RULE_INVALID")
        assert error.where is not None
        assert error.where.startswith("S01.yaml")


# --- what may be asked


@pytest.mark.parametrize("names", [["subject_name"], ["months_covered", "subject_name"]])
def test_fields_of_the_scenario(names: list[str]) -> None:
    SCENARIO.require_fields(names)
    SCENARIO.require_fields(iter(names))


FIELDS_REFUSED = {
    "none": ([], "FIELDS_REPEATED"),
    "twice": (["subject_name", "subject_name"], "FIELDS_REPEATED"),
    "outside": (["subject_name", "phone"], "FIELD_NOT_IN_SCENARIO"),
    "outside and twice": (["phone", "phone"], "FIELD_NOT_IN_SCENARIO"),
    "another case": (["Subject_name"], "FIELD_NOT_IN_SCENARIO"),
}


@pytest.mark.parametrize(("names", "code"), FIELDS_REFUSED.values(), ids=FIELDS_REFUSED.keys())
def test_fields_refused(names: list[str], code: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        SCENARIO.require_fields(names)
    assert (caught.value.code, caught.value.where) == (code, "fields")
    if code == "FIELD_NOT_IN_SCENARIO":
        assert caught.value.hint == "It allows: subject_name, months_covered."


START = 1_800_000_000


@pytest.mark.parametrize(
    ("seconds", "fits"),
    [(-1, False), (0, False), (1, True), (30 * DAY - 1, True), (30 * DAY, True), (30 * DAY + 1, False)],
)
def test_period(seconds: int, fits: bool) -> None:
    if fits:
        SCENARIO.require_period(START, START + seconds)
        return
    with pytest.raises(InvalidInput) as caught:
        SCENARIO.require_period(START, START + seconds)
    assert (caught.value.code, caught.value.where) == ("PERIOD_NOT_IN_SCENARIO", "valid_to")


@pytest.mark.parametrize(("uses", "fits"), [(-1, False), (0, False), (1, True), (3, True), (4, False)])
def test_uses(uses: int, fits: bool) -> None:
    if fits:
        SCENARIO.require_uses(uses)
        return
    with pytest.raises(InvalidInput) as caught:
        SCENARIO.require_uses(uses)
    assert (caught.value.code, caught.value.where) == ("USES_NOT_IN_SCENARIO", "max_uses")


def test_channels() -> None:
    SCENARIO.require_channel("subject_carried")
    for channel in ("licensed_credit_agency", "", "e-mail"):
        with pytest.raises(InvalidInput) as caught:
            SCENARIO.require_channel(channel)
        assert (caught.value.code, caught.value.where) == ("CHANNEL_NOT_IN_SCENARIO", "channel")
        assert caught.value.hint == "It allows: subject_carried, government_platform."


@pytest.mark.parametrize("kind", PartyKind)
@pytest.mark.parametrize(
    ("part", "require", "kinds"),
    [
        ("subject", Scenario.require_subject_kind, {"enterprise", "sole_trader"}),
        ("consumer", Scenario.require_consumer_kind, {"bank"}),
        ("provider", Scenario.require_provider_kind, {"utility", "gov_dept"}),
    ],
    ids=["subject", "consumer", "provider"],
)
def test_kinds(part: str, require: Any, kinds: set[str], kind: PartyKind) -> None:
    if kind in kinds:
        require(SCENARIO, kind)
        return
    with pytest.raises(Forbidden) as caught:
        require(SCENARIO, kind)
    assert (caught.value.code, caught.value.where) == ("KIND_NOT_IN_SCENARIO", part)
    assert ", ".join(sorted(kinds)) in caught.value.message


def test_scenario_for_nobody() -> None:
    closed = scenario_of(changed(("subject_kinds",), []), "S01.yaml")
    with pytest.raises(Forbidden) as caught:
        closed.require_subject_kind(PartyKind.PERSON)
    assert "nobody" in caught.value.message
