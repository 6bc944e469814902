"""The description of a data resource: its JSON, its rules, its grade, and the differences between two descriptions."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain import resource as resource_module
from ledger.domain.canonical import canonical
from ledger.domain.grades import GRADES, highest
from ledger.domain.resource import (
    MAX_FIELDS,
    OPEN_ATTRIBUTES,
    PII,
    SECRECY,
    SHARE_ATTRIBUTES,
    SOURCE_KINDS,
    UPDATE_FREQUENCIES,
    DataResource,
    ResourceField,
    check_registrable,
    check_resource,
    diff,
)
from ledger.errors import Conflict, InvalidInput

CONTENT = hashlib.sha256(b"year,kwh\n2026,1\n").hexdigest()
RESOURCE = DataResource(
    code="D001",
    title="用电量 Electricity use",
    package="power",
    rows=1,
    columns=2,
    fields=(ResourceField("year", "integer"), ResourceField("kwh", "decimal")),
    content_digest=f"sha-256:{CONTENT}",
)
FULL = DataResource(
    code="power/meters-2025",
    title="企业用电 Electricity use of firms",
    package="power",
    rows=12,
    columns=3,
    fields=(
        ResourceField("holder", "text", "", "personal", "none", "general_3"),
        ResourceField("kwh", "decimal", "kWh", "none", "business_secret", "general_2"),
    ),
    content_digest=f"sha-256:{CONTENT}",
    source_kind="public_service",
    domain="energy",
    format="csv",
    update_freq="monthly",
    time_range="2020/2025",
    spatial_range="440800",
    storage_location="政务大数据中心湛江节点",
    storage_mode="database",
    share_attr="none",
    share_basis="公共数据条例",
    open_attr="conditional",
    system="meters",
    grade="general_4",
)


def test_resource_is_written_as_the_expected_json() -> None:
    assert RESOURCE.to_dict() == {
        "code": "D001",
        "title": "用电量 Electricity use",
        "package": "power",
        "rows": 1,
        "columns": 2,
        "fields": [
            {"name": name, "type": kind, "unit": "", "pii": "none", "secrecy": "none", "grade": "general_1"}
            for name, kind in (("year", "integer"), ("kwh", "decimal"))
        ],
        "content_digest": f"sha-256:{CONTENT}",
        "source_kind": "social",
        "domain": "",
        "format": "",
        "update_freq": "irregular",
        "time_range": "",
        "spatial_range": "",
        "storage_location": "",
        "storage_mode": "",
        "share_attr": "conditional",
        "share_basis": "",
        "open_attr": "none",
        "system": "",
        "grade": "general_1",
    }


@pytest.mark.parametrize("resource", [RESOURCE, FULL], ids=["plain", "full"])
def test_resource_is_unchanged_after_writing_and_reading_json(resource: DataResource) -> None:
    check_resource(resource)
    assert DataResource.from_dict(resource.to_dict()) == resource


def test_json_of_a_resource_without_grades_is_accepted() -> None:
    old = {name: RESOURCE.to_dict()[name] for name in ("code", "title", "package", "rows", "columns", "content_digest")}
    columns = [{"name": "year", "type": "integer"}, {"name": "kwh", "type": "decimal"}]
    assert DataResource.from_dict(old | {"fields": columns}) == RESOURCE


SHAPES: dict[str, tuple[dict[str, Any], str]] = {
    "unknown member": ({"colour": "red"}, "resource.colour"),
    "number as text": ({"rows": "1"}, "resource.rows"),
    "boolean as number": ({"rows": True}, "resource.rows"),
    "text as null": ({"title": None}, "resource.title"),
    "fields as object": ({"fields": {}}, "resource.fields"),
    "field as text": ({"fields": ["kwh"]}, "fields[1]"),
    "field without a type": ({"fields": [{"name": "kwh"}]}, "fields[1].type"),
    "field with more": ({"fields": [{"name": "a", "type": "b", "c": "d"}]}, "fields[1].c"),
}


@pytest.mark.parametrize(("change", "where"), SHAPES.values(), ids=SHAPES.keys())
def test_json_of_a_wrong_form_is_refused(change: dict[str, Any], where: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        DataResource.from_dict(RESOURCE.to_dict() | change)
    assert (caught.value.code, caught.value.where) == ("RESOURCE_SHAPE", where)


@pytest.mark.parametrize("name", ["code", "title", "fields", "content_digest"])
def test_json_with_a_member_missing_is_refused(name: str) -> None:
    document = RESOURCE.to_dict()
    del document[name]
    with pytest.raises(InvalidInput) as caught:
        DataResource.from_dict(document)
    assert (caught.value.code, caught.value.where) == ("RESOURCE_SHAPE", f"resource.{name}")


def test_fingerprint_depends_only_on_the_content() -> None:
    assert RESOURCE.fingerprint == CONTENT
    assert replace(RESOURCE, code="D002", title="Another").fingerprint == CONTENT


def test_near_fingerprint_depends_only_on_the_fields_and_not_on_their_order() -> None:
    near = replace(RESOURCE, content_digest=f"sha-256:{'0' * 64}", fields=RESOURCE.fields[::-1], title="Another")
    assert near.near_fingerprint == RESOURCE.near_fingerprint != RESOURCE.fingerprint
    assert len(near.near_fingerprint) == 64
    for fields in (RESOURCE.fields[:1], (*RESOURCE.fields[:1], ResourceField("kwh", "integer"))):
        assert replace(RESOURCE, fields=fields).near_fingerprint != RESOURCE.near_fingerprint


def test_near_fingerprint_distinguishes_name_and_type() -> None:
    one, other = (
        replace(RESOURCE, fields=(ResourceField(name, kind),)).near_fingerprint
        for name, kind in (("a", "b,c"), ("a,b", "c"))
    )
    assert one != other


# Tests of grades


def test_grades_are_ordered_from_the_lowest_to_core_data() -> None:
    assert GRADES == ("general_1", "general_2", "general_3", "general_4", "important", "core")


@given(st.lists(st.sampled_from(GRADES)))
def test_the_highest_grade_of_a_list_is_in_the_list_and_not_below_any_grade_of_the_list(grades: list[str]) -> None:
    found = highest(grades)
    assert found in grades or (not grades and found == "general_1")
    assert all(GRADES.index(grade) <= GRADES.index(found) for grade in grades)


def test_unknown_grade_is_refused() -> None:
    with pytest.raises(InvalidInput) as caught:
        highest(["general_1", "secret"])
    assert caught.value.code == "GRADE_UNKNOWN"


@given(st.lists(st.sampled_from(GRADES), max_size=5), st.sampled_from(("", *GRADES)))
def test_the_grade_of_a_resource_must_not_be_below_the_grade_of_any_of_its_fields(grades: list[str], own: str) -> None:
    fields = tuple(ResourceField(f"f{place}", "text", grade=grade) for place, grade in enumerate(grades))
    resource = replace(RESOURCE, fields=fields, grade=own)
    if not own:
        assert resource.grade == highest(grades)
    if GRADES.index(resource.grade) >= GRADES.index(highest(grades)):
        check_resource(resource)
        return
    with pytest.raises(InvalidInput) as caught:
        check_resource(resource)
    error = caught.value
    assert (error.code, error.where) == ("GRADE_TOO_LOW", "grade")
    assert f"Set the resource's grade to {highest(grades)} or higher." == error.hint
    assert GRADES.index(grades[int(error.details["field"][1:])]) > GRADES.index(own)


@pytest.mark.parametrize("grade", GRADES)
@pytest.mark.parametrize("reviewed", [False, True], ids=["not reviewed", "reviewed"])
def test_core_data_and_unreviewed_important_data_may_not_be_registered(grade: str, reviewed: bool) -> None:
    resource = replace(RESOURCE, grade=grade)
    refusal = {("important", False): "REVIEW_REQUIRED", ("core", False): "GRADE_CORE", ("core", True): "GRADE_CORE"}
    expected = refusal.get((grade, reviewed))
    if expected is None:
        check_registrable(resource, reviewed=reviewed)
        return
    with pytest.raises(Conflict) as caught:
        check_registrable(resource, reviewed=reviewed)
    assert (caught.value.code, caught.value.where) == (expected, "resource D001")


# Tests of the rules for a description


def field(**tags: str) -> dict[str, Any]:
    return {"fields": (ResourceField("year", "integer"), ResourceField(**({"name": "kwh", "type": "decimal"} | tags)))}


RULES: dict[str, tuple[dict[str, Any], str, str]] = {
    "no code": ({"code": ""}, "RESOURCE_CODE", "code"),
    "code with a space": ({"code": "a b"}, "RESOURCE_CODE", "code"),
    "code too long": ({"code": "a" * 65}, "RESOURCE_CODE", "code"),
    "code that begins with a dot": ({"code": "../a"}, "RESOURCE_CODE", "code"),
    "digest without algorithm": ({"content_digest": CONTENT}, "DIGEST_FORM", "content_digest"),
    "digest in capitals": ({"content_digest": f"sha-256:{CONTENT.upper()}"}, "DIGEST_FORM", "content_digest"),
    "negative rows": ({"rows": -1}, "COUNT_RANGE", "rows"),
    "columns beyond JSON": ({"columns": 2**53}, "COUNT_RANGE", "columns"),
    "no title": ({"title": ""}, "TEXT_LENGTH", "title"),
    "blank title": ({"title": "  "}, "TEXT_LENGTH", "title"),
    "title too long": ({"title": "x" * 401}, "TEXT_LENGTH", "title"),
    "line feed": ({"domain": "a\nb"}, "TEXT_CONTROL", "domain"),
    "ID number": ({"title": "档案 11010519491231002X"}, "TEXT_PERSONAL", "title"),
    "phone number": ({"storage_location": "问13800138000。"}, "TEXT_PERSONAL", "storage_location"),
    "source kind": ({"source_kind": "found"}, "CHOICE_UNKNOWN", "source_kind"),
    "frequency": ({"update_freq": "hourly"}, "CHOICE_UNKNOWN", "update_freq"),
    "share attribute": ({"share_attr": "maybe"}, "CHOICE_UNKNOWN", "share_attr"),
    "open attribute": ({"open_attr": "yes"}, "CHOICE_UNKNOWN", "open_attr"),
    "not shared, no basis": ({"share_attr": "none"}, "SHARE_BASIS_MISSING", "share_basis"),
    "grade": ({"grade": "secret"}, "GRADE_UNKNOWN", "grade"),
    "grade of a field": (field(grade="secret"), "GRADE_UNKNOWN", "fields[2].grade"),
    "field above the resource": ({"grade": "general_1"} | field(grade="core"), "GRADE_TOO_LOW", "grade"),
    "field without a name": (field(name=""), "TEXT_LENGTH", "fields[2].name"),
    "field named by a space": (field(name=" "), "TEXT_LENGTH", "fields[2].name"),
    "field without a type": (field(type=""), "TEXT_LENGTH", "fields[2].type"),
    "unit too long": (field(unit="k" * 33), "TEXT_LENGTH", "fields[2].unit"),
    "personal-data tag": (field(pii="yes"), "CHOICE_UNKNOWN", "fields[2].pii"),
    "secrecy tag": (field(secrecy="yes"), "CHOICE_UNKNOWN", "fields[2].secrecy"),
    "two fields of one name": (field(name="year"), "FIELD_TWICE", "fields[2]"),
}


@pytest.mark.parametrize(("change", "code", "where"), RULES.values(), ids=RULES.keys())
def test_resource_that_breaks_a_rule_is_refused(change: dict[str, Any], code: str, where: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_resource(replace(RESOURCE, **change))
    assert (caught.value.code, caught.value.where) == (code, where)


def test_error_does_not_repeat_a_personal_number() -> None:
    with pytest.raises(InvalidInput) as caught:
        check_resource(replace(RESOURCE, title="档案 11010519491231002X"))
    assert "1949" not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["20200101-20251231", "91440802MA9X00011Y", "118001380001", "a13800138000", "0.13"], ids=str
)
def test_number_that_is_not_personal_is_accepted(text: str) -> None:
    check_resource(replace(RESOURCE, title=text))


CHOICES = [
    *(("source_kind", choice) for choice in SOURCE_KINDS),
    *(("update_freq", choice) for choice in UPDATE_FREQUENCIES),
    *(("share_attr", choice) for choice in SHARE_ATTRIBUTES),
    *(("open_attr", choice) for choice in OPEN_ATTRIBUTES),
]


@pytest.mark.parametrize(("name", "choice"), CHOICES)
def test_every_choice_of_an_attribute_of_a_resource_is_accepted(name: str, choice: str) -> None:
    changes: dict[str, Any] = {"share_basis": "basis", name: choice}
    check_resource(replace(RESOURCE, **changes))


@pytest.mark.parametrize(
    ("name", "choice"), [*(("pii", choice) for choice in PII), *(("secrecy", choice) for choice in SECRECY)]
)
def test_every_personal_data_or_secrecy_tag_of_a_field_is_accepted(name: str, choice: str) -> None:
    check_resource(replace(RESOURCE, **field(**{name: choice})))


def test_the_number_of_fields_of_a_resource_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_FIELDS > 6_832, "ISLR/NCI60 of the demonstration"
    monkeypatch.setattr(resource_module, "MAX_FIELDS", 2)
    check_resource(RESOURCE)
    with pytest.raises(InvalidInput) as caught:
        check_resource(replace(RESOURCE, fields=(*RESOURCE.fields, ResourceField("more", "text"))))
    assert caught.value.code == "FIELDS_TOO_MANY"


# Tests of the differences between two descriptions

names = st.sampled_from(["year", "kwh", "holder", "area"])
columns = st.lists(
    st.builds(
        ResourceField, names, st.sampled_from(["text", "integer"]), unit=st.just(""), grade=st.sampled_from(GRADES)
    ),
    max_size=4,
    unique_by=lambda column: column.name,
)
resources = st.builds(
    lambda fields, title, rows: replace(RESOURCE, fields=tuple(fields), title=title, rows=rows, grade="core"),
    columns,
    st.sampled_from(["A", "B"]),
    st.integers(0, 2),
)


@given(resources, resources)
def test_the_diff_of_two_descriptions_is_empty_only_if_both_are_equal(old: DataResource, new: DataResource) -> None:
    changes = diff(old.to_dict(), new.to_dict())
    assert (changes == []) == (old == new)
    assert canonical(changes) == canonical(diff(dict(reversed(old.to_dict().items())), new.to_dict()))


@given(resources, resources)
def test_reverse_diff_swaps_the_old_and_the_new_values(old: DataResource, new: DataResource) -> None:
    there, back = diff(old.to_dict(), new.to_dict()), diff(new.to_dict(), old.to_dict())
    assert back == [{"where": change["where"], "from": change["to"], "to": change["from"]} for change in there]


def test_the_diff_of_two_descriptions_names_the_changes() -> None:
    new = replace(
        RESOURCE,
        title="Electricity",
        grade="general_3",
        fields=(ResourceField("kwh", "decimal", grade="general_3"), ResourceField("area", "text")),
    )
    assert [(change["where"], change["from"], change["to"]) for change in diff(RESOURCE.to_dict(), new.to_dict())] == [
        ("grade", "general_1", "general_3"),
        ("title", "用电量 Electricity use", "Electricity"),
        ("fields.area", None, new.to_dict()["fields"][1]),
        ("fields.kwh.grade", "general_1", "general_3"),
        ("fields.year", RESOURCE.to_dict()["fields"][0], None),
    ]


def test_a_different_order_of_fields_counts_as_a_change() -> None:
    turned = replace(RESOURCE, fields=RESOURCE.fields[::-1])
    assert diff(RESOURCE.to_dict(), turned.to_dict()) == [
        {"where": "fields", "from": ["year", "kwh"], "to": ["kwh", "year"]}
    ]
