"""The schema of every type of entry, member by member."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain import entries
from ledger.domain.canonical import canonical
from ledger.domain.digests import reference
from ledger.domain.entries import validate_entry
from ledger.domain.entry_forms import CLAIM_NAMES, ERASURE_REASONS, PLAIN, SIGNED
from ledger.domain.reasons import REASONS
from ledger.errors import InvalidInput
from tests.domain.sample_entries import (
    ERASURE,
    FITTING,
    ID,
    OTHER_ID,
    PRESENTATION,
    REGISTRATION,
    RIGHT,
    SD,
    SIGNATURE,
    USAGE,
    USE,
    WHOLE,
    WRONG,
)

MEMBERS = [
    pytest.param(kind, member, id=f"{kind}.{member}")
    for kind, entry in WHOLE.items()
    for member in entry
    if member not in ("type", "v", "class")
]


def refused_at(entry: Any) -> str | None:
    with pytest.raises(InvalidInput) as caught:
        validate_entry(entry)
    assert caught.value.code == "ENTRY_SHAPE"
    return caught.value.where


@pytest.mark.parametrize("kind", WHOLE)
def test_complete_entry_is_accepted(kind: str) -> None:
    validate_entry(WHOLE[kind])
    canonical(WHOLE[kind])
    assert WHOLE[kind]["v"] == 2


@pytest.mark.parametrize(("kind", "member"), MEMBERS)
def test_missing_member_is_refused(kind: str, member: str) -> None:
    entry = {name: value for name, value in WHOLE[kind].items() if name != member}
    assert refused_at(entry) == member


# A test below gives each member the same list of values, most of which must be refused. Each member listed here accepts
# one value of the list: the value next to its name.
TAKES: dict[str, Any] = {
    "presentation.fields": [],
    "provision.claims": {},
    "presentation.nonce_digest": None,
    "erasure.targets": [],
    "authorization.separate_consent": True,
    "authorization.holder_key": {"a": {}},
    "request.pia_digest": None,
    "provision.as_of": None,
    "provision.reason": None,
    "provision.payload_digest": None,
    "provision.corrects": None,
    "usage.supersedes": None,
    "registration.supersedes": None,
    "registration.resource": {"a": {}},
    "registration.notice": None,
}


@pytest.mark.parametrize(("kind", "member"), MEMBERS)
def test_a_member_with_a_wrong_value_is_refused(kind: str, member: str) -> None:
    values: list[Any] = [{}, [], "", None, -1, 1.5, True, [[]], {"a": {}}]
    for value in values:
        entry = WHOLE[kind] | {member: value}
        if f"{kind}.{member}" in TAKES and repr(TAKES[f"{kind}.{member}"]) == repr(value):
            validate_entry(entry)
        else:
            assert refused_at(entry) == member


@pytest.mark.parametrize("kind", WHOLE)
def test_unknown_member_is_refused(kind: str) -> None:
    assert refused_at(WHOLE[kind] | {"phone": "1"}) == "phone"
    # The value is not repeated in the error, because it may be a personal text.
    for odd in ("Z" * 5_000, "110105194912310038", "张三"):
        assert refused_at(WHOLE[kind] | {odd: "1"}) == "…"


@pytest.mark.parametrize("kind", ["template", "presentation", "use", "erasure", "usage", "registration"])
def test_entries_of_the_unsigned_types_must_not_have_a_signature(kind: str) -> None:
    assert refused_at(WHOLE[kind] | SIGNATURE) == "signature"


@pytest.mark.parametrize("kind", WHOLE)
@pytest.mark.parametrize("version", [0, 3, "1", "2", True, 1.0, 2.0, None, [1]], ids=repr)
def test_unknown_version_is_refused(kind: str, version: Any) -> None:
    assert refused_at(WHOLE[kind] | {"v": version}) == "v"


@pytest.mark.parametrize("kind", WHOLE)
def test_an_entry_of_protocol_1_is_refused_and_the_error_says_what_to_do(kind: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        validate_entry(WHOLE[kind] | {"v": 1})
    assert (caught.value.code, caught.value.where) == ("PROTOCOL_UNSUPPORTED", "v")
    assert "new certificate" in (caught.value.hint or "")


@pytest.mark.parametrize("kind", WHOLE)
def test_missing_version_is_refused(kind: str) -> None:
    assert refused_at({name: value for name, value in WHOLE[kind].items() if name != "v"}) == "v"


@pytest.mark.parametrize("value", [None, 1, ["use"], {"use": 1}, True, "", "Use", "use ", "certificate_"], ids=repr)
def test_unknown_type_is_refused(value: Any) -> None:
    assert refused_at(WHOLE["use"] | {"type": value}) == "type"


@pytest.mark.parametrize("value", [None, 1, ["usage"], "", "Usage", "authorization"], ids=repr)
def test_unknown_class_is_refused(value: Any) -> None:
    assert refused_at(WHOLE["usage"] | {"class": value}) == "class"


def test_only_certificates_have_a_class() -> None:
    assert refused_at(WHOLE["use"] | {"class": "usage"}) == "class"
    assert refused_at({}) == "type"


@pytest.mark.parametrize(("kind", "member", "value"), WRONG.values(), ids=WRONG.keys())
def test_value_that_the_schema_of_an_entry_forbids_is_refused(kind: str, member: str, value: Any) -> None:
    assert refused_at(WHOLE[kind] | {member: value}) == member


@pytest.mark.parametrize(("kind", "member", "value"), FITTING.values(), ids=FITTING.keys())
def test_value_that_the_schema_of_an_entry_allows_is_accepted(kind: str, member: str, value: Any) -> None:
    validate_entry(WHOLE[kind] | {member: value})


@pytest.mark.parametrize(("kind", "reasons"), [("withdrawal", REASONS), ("erasure", ERASURE_REASONS)])
def test_every_reason_of_a_withdrawal_or_erasure_is_accepted(kind: str, reasons: Sequence[str]) -> None:
    for reason in reasons:
        validate_entry(WHOLE[kind] | {"reason": reason})


def test_error_names_the_member_and_not_its_value() -> None:
    with pytest.raises(InvalidInput) as caught:
        validate_entry(WHOLE["usage"] | {"sub": "11010519491231002X"})
    assert caught.value.where == "sub"
    assert "11010519491231002X" not in str(caught.value)


MAKERS: dict[str, tuple[Callable[..., dict[str, Any]], dict[str, Any]]] = {
    "presentation": (entries.presentation_entry, PRESENTATION),
    "use": (entries.use_entry, USE),
    "erasure": (entries.erasure_entry, ERASURE),
    "registration": (entries.registration_certificate_payload, REGISTRATION),
}


@pytest.mark.parametrize(("make", "members"), MAKERS.values(), ids=MAKERS.keys())
def test_unsigned_entries_are_checked_at_creation(make: Callable[..., Any], members: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as caught:
        make(**members | {"iat": -1})
    assert (caught.value.code, caught.value.where) == ("ENTRY_SHAPE", "iat")


@pytest.mark.parametrize("kind", ["request", "authorization", "provision", "withdrawal", "publication"])
def test_statements_are_valid_only_with_a_signature(kind: str) -> None:
    unsigned = {name: value for name, value in WHOLE[kind].items() if name != "signature"}
    assert refused_at(unsigned) == "signature"


@pytest.mark.parametrize("kind", ["usage", "registration"])
def test_caller_cannot_choose_the_class_of_a_certificate(kind: str) -> None:
    make, members = {
        "usage": (entries.usage_certificate_payload, USAGE),
        "registration": (entries.registration_certificate_payload, REGISTRATION),
    }[kind]
    forged = {"class": "other", "vct": "other", "transferable": "perhaps"}
    assert make(**members | forged) == WHOLE[kind]


def test_the_sample_entries_cover_every_type_of_entry() -> None:
    assert {*SIGNED, *PLAIN, "certificate"} == {entry["type"] for entry in WHOLE.values()}


@given(
    kind=st.sampled_from(sorted(WHOLE)),
    changes=st.dictionaries(
        st.sampled_from(sorted({member for entry in WHOLE.values() for member in entry})),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=5),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
            max_leaves=4,
        ),
        max_size=3,
    ),
)
def test_random_entry_is_refused_with_one_error(kind: str, changes: dict[str, Any]) -> None:
    try:
        validate_entry(WHOLE[kind] | changes)
    except InvalidInput as error:
        assert error.code in ("ENTRY_SHAPE", "PROTOCOL_UNSUPPORTED", "SD_NAME_NESTED")
        assert error.where is not None


@pytest.mark.parametrize(
    ("kind", "parties", "about"),
    [
        ("template", set(), []),
        ("request", {ID, OTHER_ID, "c" * 64}, []),
        ("authorization", {ID, OTHER_ID, "c" * 64}, [OTHER_ID]),
        ("provision", {ID}, [ID]),
        ("withdrawal", {ID}, [ID]),
        ("publication", {ID}, []),
        ("presentation", {ID}, [ID]),
        ("use", {ID}, [ID, OTHER_ID]),
        ("erasure", {ID, OTHER_ID}, [ID, OTHER_ID]),
    ],
)
def test_all_parties_and_statements_named_in_an_entry_are_found(kind: str, parties: set[str], about: list[str]) -> None:
    assert (entries.concerned(WHOLE[kind]), entries.referred(WHOLE[kind])) == (parties, about)


def test_certificate_names_all_its_parties() -> None:
    usage = entries.usage_certificate_payload(**USAGE | {"providers": ["c" * 64]})
    assert entries.concerned(usage) == {ID, OTHER_ID, "c" * 64}
    rights = [RIGHT, RIGHT | {"holder": "d" * 64}]
    registration = entries.registration_certificate_payload(**REGISTRATION | {"rights": rights})
    assert entries.concerned(registration) == {ID, OTHER_ID, "d" * 64}
    assert entries.referred(usage) == [ID]
    assert entries.referred(registration) == []


# --- how entries refer to each other ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", WHOLE)
def test_statement_digest_does_not_depend_on_the_signature(kind: str) -> None:
    entry = WHOLE[kind]
    unsigned = {name: value for name, value in entry.items() if name != "signature"}
    expected = hashlib.sha256(canonical(unsigned)).hexdigest()
    assert entries.statement_digest(entry) == entries.statement_digest(entry | {"signature": "another"}) == expected
    assert reference(expected) == f"sha-256:{expected}"


@pytest.mark.parametrize(("kind", "member"), MEMBERS)
def test_statement_digest_covers_every_member_except_the_signature(kind: str, member: str) -> None:
    entry = WHOLE[kind]
    same = entries.statement_digest(entry | {member: "another"}) == entries.statement_digest(entry)
    assert same is (member == "signature")


# --- names that SD-JWT libraries treat as instructions ----------------------------------------------------------------

NESTED = [
    ("registration", "resource", {"_sd": [SD]}),
    ("registration", "resource", {"a": {"b": [{"...": SD}]}}),
    ("registration", "resource", {"a": "_sd_alg"}),
    ("registration", "resource", {"a": ["x", ["..."]]}),
    ("registration", "reg_no", "..."),
    ("usage", "cnf", {"jwk": {"_sd_alg": "sha-256"}}),
    ("usage", "purpose", "_sd"),
]


@pytest.mark.parametrize(("kind", "member", "value"), NESTED, ids=[str(value) for _, _, value in NESTED])
def test_reserved_name_of_sd_jwt_in_a_certificate_is_refused(kind: str, member: str, value: Any) -> None:
    with pytest.raises(InvalidInput) as caught:
        validate_entry(WHOLE[kind] | {member: value})
    assert (caught.value.code, caught.value.where) == ("SD_NAME_NESTED", member)


@pytest.mark.parametrize("text", ["_sd ", "a _sd", "....", "..", "_SD", "sd", "…"])
def test_a_text_that_only_resembles_a_reserved_name_is_accepted(text: str) -> None:
    validate_entry(WHOLE["registration"] | {"resource": {"name": text}})


def test_entries_other_than_certificates_may_contain_reserved_names() -> None:
    validate_entry(WHOLE["authorization"] | {"purpose": "..."})


def test_a_disclosed_field_with_the_name_of_a_jwt_member_is_refused() -> None:
    claims = {*WHOLE["usage"], *WHOLE["registration"], "status", "aud"}
    assert claims == CLAIM_NAMES
    for name in claims:
        assert refused_at(WHOLE["usage"] | {"fields": [name]}) == "fields"
