"""The rules of the important-data list: which resources match a rule, and which grade they get."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ledger.catalogue.important_rules import ImportantData, check_important, matched_grade
from ledger.domain.resource import DataResource, ResourceField
from ledger.errors import InvalidInput

PIPES = DataResource(
    code="water/pipes",
    title="城区地下管线分布 Underground pipes",
    package="water",
    rows=1,
    columns=2,
    fields=(ResourceField("Longitude", "decimal"), ResourceField("latitude", "decimal"), ResourceField("bore", "text")),
    content_digest=f"sha-256:{'0' * 64}",
)
BY_TITLE = ImportantData("地下管线", "important", pattern="*地下管线*")
BY_FIELDS = ImportantData("坐标", "core", fields=("longitude", "LATITUDE"))

MATCHES: dict[str, tuple[ImportantData, bool]] = {
    "part of the title": (BY_TITLE, True),
    "whole title only": (replace(BY_TITLE, pattern="地下管线"), False),
    "case of the title": (replace(BY_TITLE, pattern="*UNDERGROUND*"), True),
    "one character": (replace(BY_TITLE, pattern="城?地下*"), True),
    "all fields": (BY_FIELDS, True),
    "a field missing": (replace(BY_FIELDS, fields=("longitude", "height")), False),
    "the pattern or the fields are enough": (replace(BY_FIELDS, pattern="*军事*"), True),
    "neither": (ImportantData("军事", "core", pattern="*军事*"), False),
    "nothing to match": (ImportantData("空", "core"), False),
}


@pytest.mark.parametrize(("entry", "expected"), MATCHES.values(), ids=MATCHES.keys())
def test_an_important_data_entry_matches_resources_by_title_or_fields(entry: ImportantData, expected: bool) -> None:
    assert entry.matches(PIPES) is expected


MATCHED: dict[str, tuple[str, list[ImportantData], str, list[str]]] = {
    "no list": ("general_2", [], "general_2", []),
    "important": ("general_2", [BY_TITLE], "important", ["地下管线"]),
    "the higher of two entries": ("general_2", [BY_TITLE, BY_FIELDS], "core", ["地下管线", "坐标"]),
    "the resource's own grade is higher": ("core", [BY_TITLE], "core", ["地下管线"]),
    "the entry does not match": ("important", [replace(BY_TITLE, pattern="x")], "important", []),
}


@pytest.mark.parametrize(("own", "entries", "grade", "titles"), MATCHED.values(), ids=MATCHED.keys())
def test_a_resource_gets_the_highest_of_its_own_grade_and_the_grades_of_matching_entries(
    own: str, entries: list[ImportantData], grade: str, titles: list[str]
) -> None:
    assert matched_grade(replace(PIPES, grade=own), entries) == (grade, titles)
    assert matched_grade(replace(PIPES, grade=own), entries[::-1]) == (grade, titles)


@pytest.mark.parametrize("entry", [BY_TITLE, BY_FIELDS], ids=["title", "fields"])
def test_a_valid_important_data_entry_is_accepted(entry: ImportantData) -> None:
    check_important(entry)


REFUSED: dict[str, dict[str, Any]] = {
    "no title": {"title": ""},
    "general": {"grade": "general_4"},
    "nothing to match": {"pattern": ""},
    "pattern too long": {"pattern": "x" * 201},
    "too many fields": {"fields": ("x",) * 65},
    "field without a name": {"fields": ("",)},
}


@pytest.mark.parametrize("change", REFUSED.values(), ids=REFUSED.keys())
def test_an_invalid_important_data_entry_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_important(replace(BY_TITLE, **change))
    assert caught.value.code == "IMPORTANT_ENTRY"
