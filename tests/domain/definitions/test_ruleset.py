"""Rulesets: every member of a definition and its limits, and the public notices that a ruleset must not waive."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.canonical import canonical, digest
from ledger.domain.definitions.reader import Bilingual
from ledger.domain.definitions.ruleset import ALWAYS_NOTICED, APPLICATION_KINDS, ruleset_of
from ledger.domain.working_days import end_of_working_days
from ledger.errors import InvalidInput

DEFINITION: dict[str, Any] = {
    "code": "zhanjiang",
    "version": 2,
    "standing": "configuration",
    "title": {"zh": "湛江", "en": "Zhanjiang"},
    "basis": ["办法甲", "办法乙"],
    "review_days": 21,
    "notice_days": 11,
    "notice": {"first": True, "change": True, "correct": False, "renew": True, "cancel": False},
    "objection_days": 12,
    "fix_days": 13,
    "validity_years": 3,
    "renew_before_days": 61,
    "renewal_years": 2,
    "offer_days": 16,
    "second_pledge": "refuse",
    "share_days": 22,
    "near_duplicate": "report",
}
RULESET = ruleset_of(DEFINITION, "own.yaml")
NESTED = ("title", "notice")
GONE = object()


def changed(path: str, value: Any) -> dict[str, Any]:
    """Return the definition with the member at ``a.b`` replaced, or removed if the value is ``GONE``."""
    definition = deepcopy(DEFINITION)
    *parents, name = path.split(".")
    parent: Any = definition
    for step in parents:
        parent = parent[step]
    if value is GONE:
        del parent[name]
    else:
        parent[name] = value
    return definition


def refused(raw: Any) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        ruleset_of(raw, "own.yaml")
    return caught.value


def place(path: str) -> str:
    return f"own.yaml: {path.replace('.', ': ')}"


def test_definition_is_read_as_a_ruleset() -> None:
    members = {name: getattr(RULESET, name) for name in DEFINITION}
    assert members == DEFINITION | {"title": Bilingual("湛江", "Zhanjiang"), "basis": ("办法甲", "办法乙")}


def test_the_digest_covers_the_whole_definition() -> None:
    assert RULESET.digest == digest(canonical(DEFINITION))
    assert ruleset_of(changed("notice.renew", False), "own.yaml").digest != RULESET.digest


MEMBERS = [*DEFINITION, *(f"{parent}.{name}" for parent in NESTED for name in DEFINITION[parent])]


@pytest.mark.parametrize("path", MEMBERS)
def test_missing_member_is_refused(path: str) -> None:
    error = refused(changed(path, GONE))
    assert (error.code, error.where) == ("RULESET_INVALID", place(path))
    assert error.hint


@pytest.mark.parametrize("path", MEMBERS)
def test_member_of_a_wrong_type_is_refused(path: str) -> None:
    values: list[Any] = [None, 1.5, "", {}, [], [None], [""]]
    for value in values:
        error = refused(changed(path, value))
        assert error.code == "RULESET_INVALID"
        assert (error.where or "").startswith(place(path))


@pytest.mark.parametrize("path", ["pilot_to", "title.fr", "notice.transfer"])
def test_unknown_member_is_refused(path: str) -> None:
    error = refused(changed(path, True))
    assert (error.code, error.where) == ("RULESET_INVALID", place(path))


@pytest.mark.parametrize("raw", [None, [], "national", 1, [DEFINITION]])
def test_definition_that_is_not_a_mapping_is_refused(raw: Any) -> None:
    error = refused(raw)
    assert (error.code, error.where) == ("RULESET_INVALID", "own.yaml")


BOUNDS = {
    "version": (1, 10_000),
    "review_days": (1, 250),
    "notice_days": (1, 250),
    "objection_days": (1, 250),
    "fix_days": (1, 250),
    "share_days": (1, 250),
    "validity_years": (1, 3),
    "renewal_years": (1, 3),
    "renew_before_days": (1, 365),
    "offer_days": (1, 365),
}


def test_every_number_of_a_ruleset_has_bounds() -> None:
    assert set(BOUNDS) == {name for name, value in DEFINITION.items() if type(value) is int}


@pytest.mark.parametrize("name", BOUNDS)
def test_number_outside_its_bounds_is_refused(name: str) -> None:
    low, high = BOUNDS[name]
    for value in (low, high):
        assert getattr(ruleset_of(changed(name, value), "own.yaml"), name) == value
    for wrong in (low - 1, high + 1, True, str(low)):
        error = refused(changed(name, wrong))
        assert (error.code, error.where) == ("RULESET_INVALID", place(name))


@pytest.mark.parametrize("name", [name for name in BOUNDS if name.endswith("_days")])
def test_the_end_of_the_longest_allowed_period_can_be_computed(name: str) -> None:
    longest = getattr(ruleset_of(changed(name, BOUNDS[name][1]), "own.yaml"), name)
    assert end_of_working_days(0, longest) > 0


CHOICES = {
    "standing": ["configuration", "confirmed"],
    "second_pledge": ["rank", "refuse"],
    "near_duplicate": ["ignore", "report"],
    "code": ["n", "a" * 32, "guangdong-2"],
}
NO_CHOICES: dict[str, list[Any]] = {
    "standing": ["law", "Configuration"],
    "second_pledge": ["allow", True],
    "near_duplicate": ["refuse", False],
    "code": ["", "a" * 33, "National", "2nd", "-a", "a b", "a\n", "n１", None],
    "basis": [[], "办法", ["办法", 1], ["x" * 501]],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in CHOICES.items() for value in values])
def test_every_choice_of_a_ruleset_is_accepted(name: str, value: str) -> None:
    assert getattr(ruleset_of(changed(name, value), "own.yaml"), name) == value


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in NO_CHOICES.items() for value in values])
def test_value_outside_the_choices_is_refused(name: str, value: Any) -> None:
    error = refused(changed(name, value))
    assert (error.code, error.where) == ("RULESET_INVALID", place(name))


# --- the public notices that a ruleset must not waive


@pytest.mark.parametrize("kind", APPLICATION_KINDS)
def test_a_ruleset_says_for_each_kind_of_application_whether_a_public_notice_is_needed(kind: str) -> None:
    assert RULESET.notice[kind] is DEFINITION["notice"][kind]


@pytest.mark.parametrize("kind", APPLICATION_KINDS)
def test_the_public_notice_can_be_waived_only_for_some_kinds_of_application(kind: str) -> None:
    waived = changed(f"notice.{kind}", False)
    if kind in ALWAYS_NOTICED:
        error = refused(waived)
        assert (error.code, error.where) == ("RULESET_INVALID", f"own.yaml: notice: {kind}")
    else:
        assert not ruleset_of(waived, "own.yaml").notice[kind]


def test_first_applications_and_changes_always_need_a_public_notice() -> None:
    assert ALWAYS_NOTICED == ("first", "change")


@given(
    path=st.sampled_from(MEMBERS),
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=4,
    ),
)
def test_random_definition_is_loaded_or_refused_with_the_place_of_a_mistake(path: str, value: Any) -> None:
    try:
        ruleset = ruleset_of(changed(path, value), "own.yaml")
    except InvalidInput as error:
        assert error.code == "RULESET_INVALID"
        assert (error.where or "").startswith("own.yaml")
    else:
        assert all(ruleset.notice[kind] for kind in ALWAYS_NOTICED)
