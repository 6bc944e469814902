"""Every type of entry: its whole schema, member by member."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain import entries
from ledger.domain.canonical import canonical
from ledger.domain.codes import certificate_no
from ledger.domain.entries import (
    MAX_SECONDS,
    MAX_SIGNATURE,
    MAX_SOURCES,
    MAX_TARGETS,
    MAX_TEXT,
    MAX_USES,
    validate_entry,
)
from ledger.domain.shapes import MAX_ITEMS
from ledger.errors import InvalidInput

ULID = "01JDB8Q4T0000000000000000A"
ID, OTHER_ID = "a" * 64, "b" * 64
DIGEST, OTHER_DIGEST = f"sha-256:{ID}", f"sha-256:{OTHER_ID}"
SD = "A" * 43

TERMS = {
    "scenario": "S01",
    "scenario_version": 1,
    "subject": ID,
    "consumer": OTHER_ID,
    "fields": ["usage_trend", "usage_band"],
    "channel": "subject_carried",
    "valid_from": 1_800_000_000,
    "valid_to": 1_800_086_400,
    "max_uses": 1,
}
RULE = {"name": "usage_trend", "source": "electricity", "rule": {"op": "trend", "column": "kwh"}}
TEMPLATE = {
    "scenario": "S01",
    "scenario_version": 1,
    "scenario_digest": DIGEST,
    "legal_basis": "consent",
    "payload_mode": "aggregate",
    "channels": ["subject_carried"],
    "max_validity_days": 30,
    "max_uses": 1,
    "retention_days": 0,
    "engine": 2,
    "fields": [RULE],
}
SOURCE = {"source": "electricity", "provider": "c" * 64}
REQUEST = TERMS | {
    "id": ULID,
    "template": DIGEST,
    "sources": [SOURCE],
    "note_digest": DIGEST,
    "pia_digest": None,
    "expires_at": 1_800_000_600,
    "iat": 1_800_000_000,
}
AUTHORIZATION = TERMS | {
    "id": ULID,
    "request": OTHER_DIGEST,
    "purpose": "贷款 loan",
    "source": "electricity",
    "provider": "c" * 64,
    "separate_consent": False,
    "holder_key": {"kty": "EC"},
    "notice_digest": DIGEST,
    "iat": 1_800_000_000,
}
PROVISION = {
    "id": ULID,
    "authorization": DIGEST,
    "source": "electricity",
    "provider": ID,
    "fields": ["usage_trend"],
    "queried_at": 1_800_000_000,
    "as_of": "2026-11-30",
    "result": "supplied",
    "reason": None,
    "payload_digest": DIGEST,
    "corrects": None,
    "iat": 1_800_000_000,
}
WITHDRAWAL = {"id": ULID, "authorization": DIGEST, "subject": ID, "reason": "consent_withdrawn", "iat": 0}
PUBLICATION = {
    "id": ULID,
    "resource": "power/meters-2025",
    "version": 1,
    "document_digest": DIGEST,
    "cdo": ID,
    "iat": 0,
}
PRESENTATION = {
    "id": ULID,
    "certificate": DIGEST,
    "consumer": ID,
    "fields": [],
    "nonce_digest": DIGEST,
    "result": "used_up",
    "iat": 1,
}
USE = {"id": ULID, "certificate": DIGEST, "consumer": ID, "ordinal": 1, "result": "valid", "iat": 1}
ERASURE = {"id": ULID, "subject": ID, "by": OTHER_ID, "targets": [DIGEST, OTHER_DIGEST], "reason": "court", "iat": 1}
CERTIFICATE = {
    "certificate_no": "DAC-440802-2026-S01-00000123-V",
    "iss": ID,
    "sub": OTHER_ID,
    "scenario": "S01",
    "scenario_version": 1,
    "scenario_digest": DIGEST,
    "purpose": "贷款 loan",
    "iat": 1,
    "nbf": 1,
    "exp": MAX_SECONDS,
    "rights_duties": {"subject": ["be_informed"], "provider": ["correct_errors"], "consumer": ["delete_it"]},
    "grade": "general_3",
}
USAGE = CERTIFICATE | {
    "consumer": ID,
    "providers": [ID, OTHER_ID],
    "channel": "government_platform",
    "max_uses": 1,
    "template": DIGEST,
    "request": DIGEST,
    "authorizations": [DIGEST],
    "provisions": [DIGEST, OTHER_DIGEST],
    "supersedes": None,
    "components": [
        {
            "source": "electricity",
            "provider": ID,
            "payload_mode": "predicate",
            "rule_version": "S01/1/engine-2",
            "fields": ["usage_trend"],
            "as_of": "2026-11-30",
            "payload_digest": DIGEST,
        }
    ],
    "fields": ["usage_trend"],
    "cnf": {"jwk": {"kty": "EC"}},
    "_sd_alg": "sha-256",
    "_sd": [SD],
}
RIGHT = {"kind": "hold", "holder": ID, "grant": 0, "exclusive": False, "from": 0, "to": 1_890_000_000}
REGISTRATION = CERTIFICATE | {
    "certificate_no": certificate_no("440802", 2026, "S00", 123),
    "scenario": "S00",
    "asset": ID,
    "resource": {"code": "D001"},
    "application": {"kind": "first", "number": 1},
    "notice": {"from": 1_790_000_000, "to": 1_791_000_000},
    "rights": [RIGHT],
    "reg_no": "REG-2026-00000001",
    "supersedes": None,
}
SIGNATURE = {"signature": "0xsigned"}

WHOLE: dict[str, dict[str, Any]] = {
    "template": entries.template_entry(**TEMPLATE),
    "request": entries.request_entry(**REQUEST) | SIGNATURE,
    "authorization": entries.authorization_entry(**AUTHORIZATION) | SIGNATURE,
    "provision": entries.provision_entry(**PROVISION) | SIGNATURE,
    "withdrawal": entries.withdrawal_entry(**WITHDRAWAL) | SIGNATURE,
    "publication": entries.publication_entry(**PUBLICATION) | SIGNATURE,
    "presentation": entries.presentation_entry(**PRESENTATION),
    "use": entries.use_entry(**USE),
    "erasure": entries.erasure_entry(**ERASURE),
    "usage": entries.usage_certificate_payload(**USAGE),
    "registration": entries.registration_certificate_payload(**REGISTRATION),
}
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
def test_whole_entry(kind: str) -> None:
    validate_entry(WHOLE[kind])
    canonical(WHOLE[kind])
    assert WHOLE[kind]["v"] == 1


@pytest.mark.parametrize(("kind", "member"), MEMBERS)
def test_missing_member(kind: str, member: str) -> None:
    entry = {name: value for name, value in WHOLE[kind].items() if name != member}
    assert refused_at(entry) == member


# Of the values that fit nothing else, the one that these members take.
TAKES: dict[str, Any] = {
    "presentation.fields": [],
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
def test_wrong_member(kind: str, member: str) -> None:
    for value in ({}, [], "", None, -1, 1.5, True, [[]], {"a": {}}):
        entry = WHOLE[kind] | {member: value}
        if f"{kind}.{member}" in TAKES and repr(TAKES[f"{kind}.{member}"]) == repr(value):
            validate_entry(entry)
        else:
            assert refused_at(entry) == member


@pytest.mark.parametrize("kind", WHOLE)
def test_unknown_member(kind: str) -> None:
    assert refused_at(WHOLE[kind] | {"phone": "1"}) == "phone"
    # What has no name's form may be anybody's text.
    for odd in ("Z" * 5_000, "110105194912310038", "张三"):
        assert refused_at(WHOLE[kind] | {odd: "1"}) == "…"


@pytest.mark.parametrize("kind", ["template", "presentation", "use", "erasure", "usage", "registration"])
def test_plain_entries_have_no_signature(kind: str) -> None:
    assert refused_at(WHOLE[kind] | SIGNATURE) == "signature"


@pytest.mark.parametrize("kind", WHOLE)
@pytest.mark.parametrize("version", [0, 2, "1", True, 1.0, None, [1]], ids=repr)
def test_unknown_version(kind: str, version: Any) -> None:
    assert refused_at(WHOLE[kind] | {"v": version}) == "v"


@pytest.mark.parametrize("kind", WHOLE)
def test_missing_version(kind: str) -> None:
    assert refused_at({name: value for name, value in WHOLE[kind].items() if name != "v"}) == "v"


@pytest.mark.parametrize("value", [None, 1, ["use"], {"use": 1}, True, "", "Use", "use ", "certificate_"], ids=repr)
def test_unknown_type(value: Any) -> None:
    assert refused_at(WHOLE["use"] | {"type": value}) == "type"


@pytest.mark.parametrize("value", [None, 1, ["usage"], "", "Usage", "authorization"], ids=repr)
def test_unknown_class(value: Any) -> None:
    assert refused_at(WHOLE["usage"] | {"class": value}) == "class"


def test_class_is_only_of_certificates() -> None:
    assert refused_at(WHOLE["use"] | {"class": "usage"}) == "class"
    assert refused_at({}) == "type"


COMPONENT = USAGE["components"][0]

WRONG = {
    "ulid in lower case": ("use", "id", ULID.lower()),
    "ulid with the letter I": ("use", "id", ULID[:-1] + "I"),
    "ulid beyond 128 bits": ("use", "id", "8" + ULID[1:]),
    "ulid and a line feed": ("use", "id", ULID + "\n"),
    "id of 63 digits": ("use", "consumer", ID[1:]),
    "id in upper case": ("use", "consumer", ID.upper()),
    "id and a line feed": ("use", "consumer", ID + "\n"),
    "digest of another algorithm": ("use", "certificate", DIGEST.replace("sha-256", "sha-512")),
    "digest without its algorithm": ("use", "certificate", ID),
    "ordinal 0": ("use", "ordinal", 0),
    "ordinal too large": ("use", "ordinal", MAX_USES + 1),
    "result not valid": ("use", "result", "expired"),
    "time too late": ("use", "iat", MAX_SECONDS + 1),
    "time as a text": ("use", "iat", "1"),
    "scenario of one digit": ("authorization", "scenario", "S1"),
    "scenario of full-width digits": ("authorization", "scenario", "S０１"),
    "scenario version 0": ("authorization", "scenario_version", 0),
    "scenario version too large": ("authorization", "scenario_version", 10_001),
    "purpose too long": ("authorization", "purpose", "x" * (MAX_TEXT + 1)),
    "provider twice": ("usage", "providers", [ID, ID]),
    "too many providers": ("usage", "providers", [f"{number:064x}" for number in range(MAX_SOURCES + 1)]),
    "providers as a text": ("usage", "providers", ID),
    "source without a provider": ("request", "sources", [{"source": "electricity"}]),
    "too many sources": ("request", "sources", [SOURCE] * (MAX_SOURCES + 1)),
    "no source": ("request", "sources", []),
    "rule that is none": ("template", "fields", [RULE | {"rule": "trend"}]),
    "field of two sources": ("template", "fields", [RULE, RULE | {"source": "water"}]),
    "field without a source": ("template", "fields", [{"name": "a", "rule": {"op": "b"}}]),
    "channel twice": ("template", "channels", ["subject_carried", "subject_carried"]),
    "basis of no law": ("template", "legal_basis", "interest"),
    "unknown refusal": ("provision", "reason", "no idea"),
    "corrects a number": ("provision", "corrects", 1),
    "rules of no version": ("usage", "components", [COMPONENT | {"rule_version": "S01/1"}]),
    "field twice": ("authorization", "fields", ["a", "a"]),
    "field of a capital": ("authorization", "fields", ["Trend"]),
    "field too long": ("authorization", "fields", ["a" * 65]),
    "too many fields": ("authorization", "fields", [f"f{number}" for number in range(MAX_ITEMS + 1)]),
    "unknown channel": ("authorization", "channel", "e-mail"),
    "no use": ("authorization", "max_uses", 0),
    "too many uses": ("authorization", "max_uses", MAX_USES + 1),
    "consent as a number": ("authorization", "separate_consent", 1),
    "signature too long": ("authorization", "signature", "x" * (MAX_SIGNATURE + 1)),
    "day that does not exist": ("provision", "as_of", "2026-02-29"),
    "day of a week date": ("provision", "as_of", "2026-W01-1"),
    "day without hyphens": ("provision", "as_of", "20261130"),
    "day with a time": ("provision", "as_of", "2026-11-30T00:00:00"),
    "unknown result": ("provision", "result", "lost"),
    "resource code with a space": ("publication", "resource", "a b"),
    "version 0": ("publication", "version", 0),
    "erased twice": ("erasure", "targets", [DIGEST, DIGEST]),
    "too much erased": ("erasure", "targets", [f"sha-256:{n:064x}" for n in range(MAX_TARGETS + 1)]),
    "erased by its number": ("erasure", "targets", ["DAC-440802-2026-S01-00000123-V"]),
    "erased for a reason of withdrawals": ("erasure", "reason", "consent_withdrawn"),
    "unknown reason": ("withdrawal", "reason", "regret"),
    "number with a wrong check": ("usage", "certificate_no", "DAC-440802-2026-S01-00000123-0"),
    "number of another scenario": ("usage", "certificate_no", certificate_no("440802", 2026, "S02", 123)),
    "registration number of a usage": ("usage", "certificate_no", REGISTRATION["certificate_no"]),
    "usage in the scenario of registrations": ("usage", "scenario", "S00"),
    "registration in the scenario of a usage": ("registration", "scenario", "S01"),
    "usage number of a registration": ("registration", "certificate_no", USAGE["certificate_no"]),
    "field named like a claim": ("usage", "fields", ["usage_trend", "grade"]),
    "field named like the class": ("usage", "fields", ["class"]),
    "class and type of certificate disagree": ("usage", "vct", "urn:pingzheng:registration:1"),
    "transferable usage": ("usage", "transferable", "yes"),
    "untransferable registration": ("registration", "transferable", "no"),
    "core data": ("usage", "grade", "core"),
    "duties of nobody": ("usage", "rights_duties", {}),
    "duties empty": ("usage", "rights_duties", CERTIFICATE["rights_duties"] | {"subject": []}),  # type: ignore[operator]
    "duties of one more": ("usage", "rights_duties", CERTIFICATE["rights_duties"] | {"issuer": ["a"]}),  # type: ignore[operator]
    "component without a day": ("usage", "components", [COMPONENT | {"as_of": "today"}]),
    "component of one more": ("usage", "components", [COMPONENT | {"value": 1}]),
    "component of an unknown mode": ("usage", "components", [COMPONENT | {"payload_mode": "full"}]),
    "second component wrong": ("usage", "components", [COMPONENT, {}]),
    "no component": ("usage", "components", []),
    "key missing": ("usage", "cnf", {}),
    "key empty": ("usage", "cnf", {"jwk": {}}),
    "key and more": ("usage", "cnf", {"jwk": {"kty": "EC"}, "kid": "1"}),
    "digests of hidden claims twice": ("usage", "_sd", [SD, SD]),
    "digest of a hidden claim padded": ("usage", "_sd", [SD + "="]),
    "weak digest of hidden claims": ("usage", "_sd_alg", "md5"),
    "resource too wide": ("registration", "resource", {str(number): 1 for number in range(MAX_ITEMS + 1)}),
    "unknown right": ("registration", "rights", [RIGHT | {"kind": "own"}]),
    "right of nobody": ("registration", "rights", [{"kind": "hold"}]),
    "no right": ("registration", "rights", []),
    "grant beyond the limit": ("registration", "rights", [RIGHT | {"grant": 257}]),
    "exclusive by number": ("registration", "rights", [RIGHT | {"exclusive": 1}]),
    "application of no kind": ("registration", "application", {"kind": "transfer", "number": 1}),
    "application number zero": ("registration", "application", {"kind": "first", "number": 0}),
    "half a notice": ("registration", "notice", {"from": 1_790_000_000}),
    "supersedes no digest": ("registration", "supersedes", "DAC-440802-2026-S01-00000123-V"),
}


@pytest.mark.parametrize(("kind", "member", "value"), WRONG.values(), ids=WRONG.keys())
def test_value_that_does_not_fit(kind: str, member: str, value: Any) -> None:
    assert refused_at(WHOLE[kind] | {member: value}) == member


FITTING = {
    "last second": ("use", "iat", MAX_SECONDS),
    "last use": ("use", "ordinal", MAX_USES),
    "longest purpose": ("authorization", "purpose", "目" * MAX_TEXT),
    "longest signature": ("authorization", "signature", "x" * MAX_SIGNATURE),
    "most providers": ("usage", "providers", [f"{number:064x}" for number in range(MAX_SOURCES)]),
    "most sources": ("request", "sources", [SOURCE] * MAX_SOURCES),
    "impact assessment": ("request", "pia_digest", DIGEST),
    "refusal with a reason": ("provision", "reason", "under_correction"),
    "correction": ("provision", "corrects", DIGEST),
    "correcting version": ("usage", "supersedes", DIGEST),
    "most erased": ("erasure", "targets", [f"sha-256:{n:064x}" for n in range(MAX_TARGETS)]),
    "most fields": ("authorization", "fields", [f"f{number}" for number in range(MAX_ITEMS)]),
    "longest field": ("authorization", "fields", ["a" * 64]),
    "leap day": ("provision", "as_of", "2028-02-29"),
    "supersedes": ("registration", "supersedes", DIGEST),
    "important data": ("registration", "grade", "important"),
    "the same right of two": (
        "registration",
        "rights",
        [RIGHT, RIGHT | {"kind": "process", "holder": OTHER_ID, "grant": 1, "exclusive": True}],
    ),
}


@pytest.mark.parametrize(("kind", "member", "value"), FITTING.values(), ids=FITTING.keys())
def test_value_that_fits(kind: str, member: str, value: Any) -> None:
    validate_entry(WHOLE[kind] | {member: value})


@pytest.mark.parametrize(("kind", "reasons"), [("withdrawal", entries.REASONS), ("erasure", entries.ERASURE_REASONS)])
def test_every_reason_may_be_given(kind: str, reasons: Sequence[str]) -> None:
    for reason in reasons:
        validate_entry(WHOLE[kind] | {"reason": reason})


def test_error_tells_the_member_and_not_its_value() -> None:
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
def test_unsigned_entries_are_checked_when_made(make: Callable[..., Any], members: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as caught:
        make(**members | {"iat": -1})
    assert (caught.value.code, caught.value.where) == ("ENTRY_SHAPE", "iat")


@pytest.mark.parametrize("kind", ["request", "authorization", "provision", "withdrawal", "publication"])
def test_statements_wait_for_their_signature(kind: str) -> None:
    unsigned = {name: value for name, value in WHOLE[kind].items() if name != "signature"}
    assert refused_at(unsigned) == "signature"


@pytest.mark.parametrize("kind", ["usage", "registration"])
def test_class_of_a_certificate_cannot_be_chosen(kind: str) -> None:
    make, members = {
        "usage": (entries.usage_certificate_payload, USAGE),
        "registration": (entries.registration_certificate_payload, REGISTRATION),
    }[kind]
    forged = {"class": "other", "vct": "other", "transferable": "perhaps"}
    assert make(**members | forged) == WHOLE[kind]


def test_every_type_is_named() -> None:
    assert entries.entry_types() == sorted({entry["type"] for entry in WHOLE.values()})


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
def test_anything_else_is_refused_in_one_way(kind: str, changes: dict[str, Any]) -> None:
    try:
        validate_entry(WHOLE[kind] | changes)
    except InvalidInput as error:
        assert error.code == "ENTRY_SHAPE"
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
        ("use", {ID}, [ID]),
        ("erasure", {ID, OTHER_ID}, [ID, OTHER_ID]),
    ],
)
def test_whom_an_entry_concerns_and_what_it_is_about(kind: str, parties: set[str], about: list[str]) -> None:
    assert (entries.concerned(WHOLE[kind]), entries.referred(WHOLE[kind])) == (parties, about)


def test_certificates_concern_every_party_in_them() -> None:
    usage = entries.usage_certificate_payload(**USAGE | {"providers": ["c" * 64]})
    assert entries.concerned(usage) == {ID, OTHER_ID, "c" * 64}
    rights = [RIGHT, RIGHT | {"holder": "d" * 64}]
    registration = entries.registration_certificate_payload(**REGISTRATION | {"rights": rights})
    assert entries.concerned(registration) == {ID, OTHER_ID, "d" * 64}
    assert entries.referred(usage) == [ID]
    assert entries.referred(registration) == []
