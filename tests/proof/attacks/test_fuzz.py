"""Damages bundles at random. The verifier always returns a report, and the report is valid only if all parts that the
verifier uses are unchanged.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.domain.canonical import parse_json
from ledger.domain.codes import certificate_no
from ledger.domain.rules.value_spaces import fits
from ledger.errors import BadBundle, InvalidInput
from ledger.proof.bundle import parse_bundle
from ledger.proof.facts_file import parse_facts
from ledger.proof.facts_needed import facts_needed
from ledger.proof.report import Report
from tests.support.bundles.builder import registration, usage
from tests.support.bundles.cast import ANCHORED, BANK, HIDDEN, RULES, SCENARIO
from tests.support.bundles.damage import DAMAGES, damaged, spots, values
from tests.support.bundles.genuine import GENUINE
from tests.support.bundles.made import Made
from tests.support.bundles.p256_cast import P_BANK, p256_usage

pytestmark = pytest.mark.slow

# A valid bundle with as many parts as possible: a withdrawal without effect, a lifted hold and some uses. All its keys
# are on P-256.
LADEN = (
    p256_usage()
    .withdrawing(BANK, ANCHORED, key=P_BANK)
    .on_hold((("authority",), "court", ANCHORED), ((), "lifted", ANCHORED + 1))
    .used(ANCHORED, ANCHORED + 1)
)
MADE = {"usage": GENUINE, "registration": registration(), "laden": LADEN}
TEXTS = {name: made.bundle.to_bytes() for name, made in MADE.items()}
CERTIFICATES = (
    GENUINE.bundle.certificate,
    MADE["registration"].bundle.certificate,
    usage(claims={"certificate_no": certificate_no("440802", 2026, SCENARIO, 124)}).bundle.certificate,
)
KINDS = st.sampled_from(sorted(MADE))


def relied_on(raw: bytes) -> Any:
    """Return the parts of a bundle that the verifier uses.

    The verifier ignores the bundle's keys and status (it uses the keys and the status in the facts), and the order of
    anchors and evidence. It also ignores the withdrawals in these bundles, and the anchors that only they need, because
    the withdrawing parties did not sign the withdrawn statements.
    """
    document = parse_bundle(raw).to_dict()
    del document["keys"], document["status"]
    document["evidence"] = [item for item in document["evidence"] if '"type":"withdrawal"' not in item["entry"]]
    places = [document["position"], *(item["position"] for item in document["evidence"])]
    needed = {(place["issuer"], place["batch"]) for place in places}
    document["anchors"] = [item for item in document["anchors"] if (item["issuer"], item["batch"]) in needed]
    for member in ("anchors", "evidence"):
        document[member].sort(key=lambda item: json.dumps(item, sort_keys=True))
    return document


def require_sound(made: Made, raw: bytes, genuine: bytes) -> Report:
    report = made.verify_file(raw)
    assert len(report.checks) == 11
    assert json.dumps(report.to_dict())
    if report.valid:
        assert relied_on(raw) == relied_on(genuine)
    else:
        assert report.first_failure is not None
        assert (report.claims, report.disclosed) == ({}, {})
    return report


def test_the_fuzz_tests_can_change_more_than_80_values_of_a_bundle() -> None:
    assert len(spots(GENUINE.document())) > 80


@settings(max_examples=400, deadline=None)
@given(KINDS, st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 255)), min_size=1, max_size=4))
def test_flipped_bits_are_detected(kind: str, flips: list[tuple[int, int]]) -> None:
    raw = bytearray(TEXTS[kind])
    for place, mask in flips:
        raw[place % len(raw)] ^= mask
    require_sound(MADE[kind], bytes(raw), TEXTS[kind])


@settings(max_examples=150, deadline=None)
@given(KINDS, st.integers(0, 10**6), st.integers(0, 200), st.binary(max_size=30))
def test_spliced_bytes_are_detected(kind: str, place: int, gone: int, put: bytes) -> None:
    text = TEXTS[kind]
    place %= len(text)
    require_sound(MADE[kind], text[:place] + put + text[place + gone :], text)


@settings(max_examples=300, deadline=None)
@given(KINDS, st.data(), DAMAGES, values)
def test_damaged_json_is_detected(kind: str, data: st.DataObject, damage: str, value: Any) -> None:
    document = MADE[kind].document()
    way = data.draw(st.sampled_from(spots(document)))
    raw = json.dumps(damaged(document, way, damage, value)).encode()
    require_sound(MADE[kind], raw, TEXTS[kind])
    try:
        facts_needed(parse_bundle(raw))
    except BadBundle:
        assert MADE[kind].verify_file(raw).first_failure.number == 1


@settings(max_examples=150, deadline=None)
@given(KINDS, KINDS, st.data())
def test_a_genuine_value_in_a_wrong_place_is_detected(kind: str, other: str, data: st.DataObject) -> None:
    """Every value in the damaged bundle is genuine, but one value was copied from another place of this bundle or of
    another bundle.
    """
    document, source = MADE[kind].document(), MADE[other].document()
    value: Any = source
    for step in data.draw(st.sampled_from(spots(source))):
        value = value[step]
    way = data.draw(st.sampled_from(spots(document)))
    require_sound(MADE[kind], json.dumps(damaged(document, way, "replace", value)).encode(), TEXTS[kind])


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_certificates_combined_from_other_certificates_are_detected(data: st.DataObject) -> None:
    """The certificates are combined from the headers, payloads, signatures, disclosures and key bindings of three
    genuine certificates.
    """
    parts = [part for certificate in CERTIFICATES for part in certificate.split("~")]
    tokens = [token for part in parts for token in part.split(".")]
    jws = st.lists(st.sampled_from(tokens), min_size=3, max_size=3).map(".".join)
    made = "~".join(data.draw(st.lists(st.sampled_from(parts) | jws, min_size=2, max_size=6)))
    require_sound(GENUINE, GENUINE.bundle.with_certificate(made).to_bytes(), TEXTS["usage"])


@settings(max_examples=200, deadline=None)
@given(KINDS, st.data(), DAMAGES, values)
def test_damaged_facts_are_refused_or_give_a_complete_report(
    kind: str, data: st.DataObject, damage: str, value: Any
) -> None:
    """A verifier reads the facts itself, so damaged facts are no attack. The test requires a report, whatever its
    result.
    """
    saved = json.loads(MADE[kind].facts.to_bytes())
    way = data.draw(st.sampled_from(spots(saved)))
    try:
        facts = parse_facts(json.dumps(damaged(saved, way, damage, value)).encode())
    except BadBundle:
        return
    report = MADE[kind].knowing(**{name: getattr(facts, name) for name in facts.__slots__}).verify()
    assert len(report.checks) == 11
    assert json.dumps(report.to_dict())


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 6), st.data(), DAMAGES, values)
def test_damaged_evidence_is_detected(place: int, data: st.DataObject, damage: str, value: Any) -> None:
    document = LADEN.document()
    entry = json.loads(document["evidence"][place]["entry"])
    way = data.draw(st.sampled_from(spots(entry)))
    document["evidence"][place]["entry"] = json.dumps(damaged(entry, way, damage, value), separators=(",", ":"))
    require_sound(LADEN, json.dumps(document).encode(), TEXTS["laden"])


CLAIMS = GENUINE.verify().claims
claim_ways = st.sampled_from([way for way in spots(CLAIMS) if way])


def is_json(value: Any) -> bool:
    try:
        parse_json(json.dumps(value).encode(), max_bytes=10_000)
    except InvalidInput:
        return False
    return True


@settings(max_examples=150, deadline=None)
@given(claim_ways, DAMAGES, values)
def test_wrong_claims_signed_by_the_issuer_are_detected(way: tuple[Any, ...], damage: str, value: Any) -> None:
    """Signatures, anchors and presentation are correct; only the claims are wrong."""
    claims = damaged(CLAIMS, way, damage, value)
    try:
        made = usage(claims={name: claims[name] for name in claims if claims[name] != CLAIMS.get(name)})
    except Exception:
        return
    report = made.verify()
    assert report.valid or report.first_failure is not None


STATEMENTS = {
    {"authorization": "consent", "provision": "supply"}.get(entry["type"], entry["type"]): entry
    for entry in (dict(item.statement) for item in reversed(GENUINE.bundle.evidence))
}


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(STATEMENTS)), st.data(), DAMAGES, values)
def test_correctly_signed_statements_with_wrong_content_are_detected(
    kind: str, data: st.DataObject, damage: str, value: Any
) -> None:
    """A template, request, authorization or provision is wrong; signatures, anchors and references are correct."""
    entry = STATEMENTS[kind]
    changed = damaged(entry, data.draw(st.sampled_from([way for way in spots(entry) if way])), damage, value)
    members: dict[str, Any] = {kind: {name: changed[name] for name in changed if changed[name] != entry.get(name)}}
    try:
        made = usage(**members)
    except Exception:
        return
    report = made.verify()
    assert len(report.checks) == 11
    assert report.valid or (report.first_failure is not None and report.disclosed == {})


any_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(HIDDEN)), any_json | st.sampled_from([*HIDDEN.values(), "A", "C", "falling", 0, 10]))
def test_claim_value_that_its_rule_cannot_produce_is_refused(name: str, value: Any) -> None:
    """The value is refused even if the provider and the platform cooperate."""
    try:
        made = usage(hidden=HIDDEN | {name: value}, disclosed=[name])
        expected = fits(RULES[name][1], value)
        report = made.verify()
    except InvalidInput:
        return
    assert report.valid is expected
    if not expected:
        assert report.first_failure.number in (1, 4)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 10**6), st.text(alphabet="AZaz09-_.~=+/ \n", min_size=0, max_size=3))
def test_damaged_certificates_are_detected(place: int, put: str) -> None:
    certificate = GENUINE.bundle.certificate
    place %= len(certificate)
    raw = GENUINE.bundle.with_certificate(certificate[:place] + put + certificate[place + 1 :]).to_bytes()
    require_sound(GENUINE, raw, TEXTS["usage"])


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_random_bytes_fail_check_1(raw: bytes) -> None:
    assert GENUINE.verify_file(raw).first_failure.number == 1


def test_harmless_changes_keep_the_bundle_valid() -> None:
    document = GENUINE.document()
    for member in ("anchors", "evidence"):
        document[member].reverse()
    raw = json.dumps(dict(reversed(document.items())), indent=4).encode()
    assert require_sound(GENUINE, raw, TEXTS["usage"]).valid
