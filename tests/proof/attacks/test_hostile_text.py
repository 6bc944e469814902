"""Hostile bytes: input that could stop a parser, and other spellings of the same values."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import Any

import pytest

from ledger.domain.canonical import canonical
from ledger.errors import BadBundle
from ledger.proof.bundle import MAX_BUNDLE_BYTES, MAX_EVIDENCE, parse_bundle
from ledger.proof.facts_file import MAX_FACTS_BYTES, parse_facts
from ledger.proof.facts_needed import facts_needed
from ledger.proof.jws import MAX_PAYLOAD_BYTES, decode_base64url, encode_base64url
from ledger.proof.sdjwt import MAX_DISCLOSURES
from tests.proof.attacks.tampering import (
    DOCUMENT,
    HEADER,
    PAYLOAD,
    REAL_HEADER,
    SHOWN,
    SIGNATURE,
    Attack,
    require_refused,
    with_claims,
    with_disclosure,
    with_evidence,
    with_header,
    with_member,
    with_parts,
    with_payload,
    with_text,
    with_token,
)
from tests.support.bundles.builder import registration, usage
from tests.support.bundles.cast import ASSET, BANK, GRID, ISSUER, SUBJECT, TAX
from tests.support.bundles.genuine import GENUINE

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
TEXT = GENUINE.bundle.to_bytes()
SALT = b'["AAAAAAAAAAAAAAAAAAAAAA","tax_band",'
OF_TWO = ("forwarder", "origin", "delay", "threshold")


def raw(data: bytes) -> Attack:
    return lambda: GENUINE.verify_file(data)


def other_spelling(text: str) -> str:
    """Return a base64url text of the same bytes with a different last character: one of its unused bits is set."""
    return text[:-1] + ALPHABET[ALPHABET.index(text[-1]) | 1]


def keys_beyond_number() -> Attack:
    return with_member(
        "keys", {f"0x{number:040x}": DOCUMENT["keys"][SUBJECT.account] for number in range(MAX_EVIDENCE + 2)}
    )


FILE: dict[str, tuple[int, str, Attack]] = {
    "nothing": (1, "NOT_A_BUNDLE", raw(b"")),
    "oversized bundle": (1, "NOT_A_BUNDLE", raw(TEXT + b" " * (MAX_BUNDLE_BYTES - len(TEXT) + 1))),
    "10 MB of nesting": (1, "NOT_A_BUNDLE", raw(b"[" * 5_000_000 + b"]" * 5_000_000)),
    "nesting as large as a bundle": (1, "NOT_A_BUNDLE", raw(b"[" * 131_072 + b"]" * 131_072)),
    "nesting in objects": (1, "NOT_A_BUNDLE", raw(b'{"a":' * 17 + b"1" + b"}" * 17)),
    "nesting behind a closed string": (1, "NOT_A_BUNDLE", raw(b'["\\"]]]]",' + b"[" * 100)),
    "nesting that closes first": (1, "NOT_A_BUNDLE", raw(b"]" * 100_000 + b"[" * 100_000)),
    "string without its end": (1, "NOT_A_BUNDLE", raw(b"[" + b"[]," * 40 + b'"' + b'\\"' * 130_000)),
    "brackets in a string": (1, "NOT_A_BUNDLE", raw(b'"' + b"[" * 200_000 + b'"')),
    "duplicate JSON key": (1, "JSON_DUPLICATE_KEY", with_text('"position"', '"proof": [], "position"')),
    "duplicate JSON key by escape": (1, "JSON_DUPLICATE_KEY", with_text('"root"', '"\\u0072oot": "", "root"')),
    "duplicate JSON key in a key": (1, "JSON_DUPLICATE_KEY", with_text('"kty"', '"kty": "EC", "kty"')),
    "unpaired surrogate": (1, "JSON_SURROGATE", with_text('"active"', '"\\ud800"')),
    "surrogates the wrong way round": (1, "JSON_SURROGATE", with_text('"active"', '"\\udc00\\ud800"')),
    "unpaired surrogate in a name": (1, "JSON_SURROGATE", with_text('"state"', '"\\uDFFF"')),
    "bytes that are no UTF-8": (1, "NOT_A_BUNDLE", raw(TEXT.replace(b"active", b"act\xff", 1))),
    "surrogate as bytes": (1, "NOT_A_BUNDLE", raw(TEXT.replace(b"active", b"\xed\xa0\x80", 1))),
    "byte order mark": (1, "NOT_A_BUNDLE", raw(b"\xef\xbb\xbf" + TEXT)),
    "UTF-16": (1, "NOT_A_BUNDLE", raw("\ufeff".encode("utf-16"))),
    "two values": (1, "NOT_A_BUNDLE", raw(TEXT + TEXT)),
    "control character": (1, "NOT_A_BUNDLE", raw(TEXT.replace(b"active", b"act\x00", 1))),
    "float number": (1, "JSON_FLOAT", with_text('"chain_id": 1337', '"chain_id": 1337.0')),
    "number with an exponent": (1, "JSON_FLOAT", with_text('"chain_id": 1337', '"chain_id": 1337e0')),
    "not a number": (1, "JSON_FLOAT", with_text('"chain_id": 1337', '"chain_id": NaN')),
    "infinity": (1, "JSON_FLOAT", with_text('"chain_id": 1337', '"chain_id": -Infinity')),
    "huge integer": (1, "JSON_INTEGER_RANGE", with_text('"chain_id": 1337', '"chain_id": ' + "9" * 10_000)),
    "integer that a float would round": (1, "JSON_INTEGER_RANGE", with_member("status.block", 2**53)),
    "negative index": (1, "BUNDLE_FORM", with_member("position.index", -1)),
    "index that is true": (1, "BUNDLE_FORM", with_member("position.index", True)),
    "index that is text": (1, "BUNDLE_FORM", with_member("position.index", "5")),
    "digits of another script": (1, "NOT_A_BUNDLE", with_text('"chain_id": 1337', '"chain_id": １３３７')),
    "unknown member": (1, "BUNDLE_FORM", with_member("comment", "trust me")),
    "list for an object": (1, "BUNDLE_FORM", with_member("position", [4, 5])),
    "null for a list": (1, "BUNDLE_FORM", with_member("evidence", None)),
    "address in capitals": (1, "BUNDLE_FORM", with_member("chain.asset_registry", "0x" + "C3" * 20)),
    "hash with a line end": (1, "BUNDLE_FORM", with_member("anchors.0.root", DOCUMENT["anchors"][0]["root"] + "\n")),
    "hash in capitals": (1, "BUNDLE_FORM", with_member("anchors.0.root", DOCUMENT["anchors"][0]["root"].upper())),
    "proof beyond any tree": (1, "BUNDLE_FORM", with_member("proof", ["00" * 32] * 33)),
    "evidence beyond number": (1, "BUNDLE_FORM", with_member("evidence", DOCUMENT["evidence"] * 6)),
    "keys beyond number": (1, "BUNDLE_FORM", keys_beyond_number()),
    "evidence twice": (1, "BUNDLE_FORM", with_member("evidence", DOCUMENT["evidence"] * 2)),
    "anchor twice": (1, "BUNDLE_FORM", with_member("anchors", DOCUMENT["anchors"] * 2)),
    "key off the curve": (1, "JWK_INVALID", with_member(f"keys.{ISSUER.account}.x", "A" * 43)),
    "key with its private part": (1, "JWK_INVALID", with_member(f"keys.{ISSUER.account}.d", "A" * 43)),
    "key of another curve": (1, "JWK_INVALID", with_member(f"keys.{ISSUER.account}.crv", "P-256")),
    "key of no curve": (1, "JWK_INVALID", with_member(f"keys.{ISSUER.account}.crv", "P-384")),
    "anchor of protocol 1": (1, "BUNDLE_FORM", with_member("anchors.0.by", 2)),
    "position of protocol 1": (1, "BUNDLE_FORM", with_member("position", {"batch": 4, "index": 5})),
    "chain of protocol 1": (
        1,
        "BUNDLE_FORM",
        with_member("chain", {name: value for name, value in DOCUMENT["chain"].items() if name not in OF_TWO}),
    ),
    "chain without its origin": (1, "BUNDLE_FORM", with_member("chain.origin", "")),
}

CERTIFICATE: dict[str, tuple[int, str, Attack]] = {
    "no certificate": (1, "BUNDLE_FORM", with_member("certificate", "")),
    "certificate that is a list": (1, "BUNDLE_FORM", with_member("certificate", [])),
    "certificate without parts": (1, "CERTIFICATE_FORM", with_parts(GENUINE.token)),
    "certificate of tildes": (1, "CERTIFICATE_FORM", with_member("certificate", "~" * 100_000)),
    "token of dots": (1, "JWS_FORM", with_parts("." * 100_000, "")),
    "token of two parts": (1, "JWS_FORM", with_token(f"{HEADER}.{PAYLOAD}")),
    "non-canonical base64url": (1, "JWS_BASE64URL", with_token(f"{HEADER}.{PAYLOAD}.{other_spelling(SIGNATURE)}")),
    "padding": (1, "JWS_BASE64URL", with_token(f"{HEADER}.{PAYLOAD}.{SIGNATURE}==")),
    "base64 of the other alphabet": (1, "JWS_BASE64URL", with_token(f"{HEADER}.{PAYLOAD}.{'+/' * 43}")),
    "line end in base64url": (1, "JWS_BASE64URL", with_token(f"{HEADER}.{PAYLOAD}\n.{SIGNATURE}")),
    "look-alike letter in base64url": (1, "JWS_BASE64URL", with_token(f"{HEADER}.{PAYLOAD}.А{SIGNATURE[1:]}")),
    "header larger than any": (1, "JWS_HEADER", with_header(b" " * 513)),
    "header much larger": (1, "JWS_BASE64URL", with_header(b" " * 5_000)),
    "header that nests": (1, "JWS_HEADER", with_header(REAL_HEADER | {"kid": [[[1]]]})),
    "payload larger than any": (1, "JWS_BASE64URL", with_payload(b" " * (MAX_PAYLOAD_BYTES + 8))),
    "payload that is a list": (1, "CERTIFICATE_FORM", with_payload(b"[]")),
    "payload that is an authorization": (
        1,
        "NOT_A_CERTIFICATE",
        with_payload(DOCUMENT["evidence"][0]["entry"].encode()),
    ),
    "payload with a float": (1, "JSON_FLOAT", with_payload(b'{"v":2.0}')),
    "payload with a duplicate key": (1, "JSON_DUPLICATE_KEY", with_payload(b'{"v":2,"v":2}')),
    "payload with a surrogate": (1, "JSON_SURROGATE", with_payload(b'{"v":"\\ud800"}')),
    "payload that nests": (1, "JSON_TOO_DEEP", with_payload(b"[" * 33 + b"]" * 33)),
    "payload that is not canonical": (1, "CERTIFICATE_FORM", with_payload(b'{"v": 1}')),
    "payload of minus zero": (1, "CERTIFICATE_FORM", with_payload(b'{"v":-0}')),
    "payload of an unknown type": (1, "ENTRY_SHAPE", with_payload(b'{"type":"licence","v":2}')),
    "payload of a later version": (1, "ENTRY_SHAPE", with_claims(v=3)),
    "payload of an unknown class": (1, "ENTRY_SHAPE", with_claims(**{"class": ["usage"]})),
    "version that is true": (1, "ENTRY_SHAPE", with_claims(v=True)),
    "number of another check digit": (1, "ENTRY_SHAPE", with_claims(certificate_no="DAC-440802-2026-S51-00000123-0")),
    "unknown claim": (1, "ENTRY_SHAPE", with_claims(admin=True)),
    "list in place of text in a set": (1, "ENTRY_SHAPE", with_claims(providers=[["a"]])),
    "empty disclosure": (1, "DISCLOSURE_FORM", with_parts(SHOWN[0], "", SHOWN[-1])),
    "disclosure of two members": (1, "DISCLOSURE_FORM", with_disclosure(b'["AAAAAAAAAAAAAAAAAAAAAA","tax_band"]')),
    "disclosure of an object": (1, "DISCLOSURE_FORM", with_disclosure(b'{"tax_band":"A"}')),
    "disclosure of a float": (1, "DISCLOSURE_FORM", with_disclosure(SALT + b"1.5]")),
    "disclosure with spaces": (1, "DISCLOSURE_FORM", with_disclosure(SALT + b' "A"]')),
    "disclosure that nests": (1, "DISCLOSURE_FORM", with_disclosure(SALT + b"[[[[1]]]]]")),
    "salt too short": (1, "DISCLOSURE_SALT", with_disclosure(b'["AAAA","tax_band","A"]')),
    "salt of 15 bytes": (1, "DISCLOSURE_SALT", with_disclosure(b'["' + b"A" * 20 + b'","tax_band","A"]')),
    "salt of 17 bytes": (1, "DISCLOSURE_SALT", with_disclosure(b'["' + b"A" * 23 + b'","tax_band","A"]')),
    "salt that no bytes give": (1, "DISCLOSURE_SALT", with_disclosure(b'["' + b"A" * 21 + b'B","tax_band","A"]')),
    "salt with a space": (1, "DISCLOSURE_SALT", with_disclosure(b'["' + b"A" * 21 + b' ","tax_band","A"]')),
    "disclosures beyond number": (
        1,
        "CERTIFICATE_FORM",
        with_parts(*SHOWN[:1], *SHOWN[1:2] * (MAX_DISCLOSURES + 1), ""),
    ),
}

EVIDENCE: dict[str, tuple[int, str, Attack]] = {
    "evidence that is no JSON": (1, "JSON_MALFORMED", with_evidence(lambda text: text[:-1])),
    "evidence with spaces": (1, "ENTRY_SHAPE", with_evidence(lambda text: text.replace('":', '": '))),
    "evidence spelled with escapes": (1, "ENTRY_SHAPE", with_evidence(lambda text: text.replace("loan", "l\\u006fan"))),
    "evidence with a duplicate key": (1, "JSON_DUPLICATE_KEY", with_evidence(lambda text: '{"v":2,' + text[1:])),
    "evidence with a surrogate": (1, "JSON_SURROGATE", with_evidence(lambda text: text.replace("loan", "\\ud800"))),
    "evidence with a float": (1, "JSON_FLOAT", with_evidence(lambda text: text.replace('"v":2', '"v":2.0'))),
    "evidence with a member more": (1, "ENTRY_SHAPE", with_evidence(lambda text: '{"a":1,' + text[1:])),
    "evidence that is a list": (1, "ENTRY_SHAPE", with_evidence(lambda _: "[]")),
    "evidence with an invalid day": (
        1,
        "ENTRY_SHAPE",
        with_evidence(lambda text: text.replace("2026-08-31", "2026-02-30"), "as_of"),
    ),
    "evidence larger than any": (1, "BUNDLE_FORM", with_member("evidence.0.entry", "x" * 16_385)),
}

TEXTS = FILE | CERTIFICATE | EVIDENCE


@pytest.mark.parametrize("name", TEXTS)
def test_hostile_text_is_refused_quickly_with_the_expected_error_code(name: str) -> None:
    number, code, attack = TEXTS[name]
    begun = time.process_time()
    require_refused(attack(), number, code)
    assert time.process_time() - begun < 2


@pytest.mark.parametrize("name", TEXTS)
def test_report_on_hostile_text_stays_small(name: str) -> None:
    report = json.dumps(TEXTS[name][2]().to_dict())
    assert len(report) < 4_000


@pytest.mark.parametrize("certificate", ["", "~", "a.b.c~", SHOWN[0], "~".join([SHOWN[0], "!", ""])])
def test_listing_the_needed_facts_never_raises_an_error(certificate: str) -> None:
    needed = facts_needed(GENUINE.bundle.with_certificate(certificate))
    assert needed.batches == {(ISSUER.no, 3), (ISSUER.no, 4)}
    assert needed.accreditation is None


def test_needed_facts_are_the_facts_of_the_genuine_certificate() -> None:
    needed = facts_needed(GENUINE.bundle)
    assert needed.accreditation == (ISSUER.id, "S51")
    assert needed.accounts == set(DOCUMENT["keys"])
    assert (needed.position, needed.asset) == (GENUINE.bundle.position, None)
    kinds = ("certificate", "request", "authorization", "provision")
    assert {GENUINE.statement(kind) for kind in kinds} < needed.statements
    assert needed.statements == set(GENUINE.facts.holds)
    assert len(needed.statements) == 6
    assert needed.uses == (BANK.id, GENUINE.statement("request"))
    parties = sorted(party for party, _ in needed.withdrawals)
    assert parties == sorted([SUBJECT.id, SUBJECT.id, TAX.id, GRID.id])


ODD_STATEMENTS = [
    "[]",
    "{",
    '{"type":"authorization"}',
    '{"type":["authorization"]}',
    '{"subject":5,"type":"authorization"}',
    f'{{"subject":"{"F" * 64}","type":"authorization"}}',
    f'{{"subject":["{SUBJECT.id}"],"type":"authorization"}}',
    f'{{"provider":"{TAX.id}","type":"authorization"}}',
    f'{{"subject":"{SUBJECT.id}","type":"provision"}}',
    f'{{"consumer":"{BANK.id}","subject":"{SUBJECT.id}","type":"request"}}',
]


@pytest.mark.parametrize("entry", ODD_STATEMENTS)
def test_needed_facts_leave_out_entries_that_cannot_be_withdrawn(entry: str) -> None:
    odd = replace(GENUINE.bundle.evidence[0], entry=entry)
    assert facts_needed(replace(GENUINE.bundle, evidence=(odd,))).withdrawals == set()


@pytest.mark.parametrize(
    "claims",
    [
        {"request": 5},
        {"request": "sm3:" + "00" * 32},
        {"request": "00" * 32},
        {"consumer": None},
        {"authorizations": "sha-256:" + "00" * 32, "provisions": [5, None, ["a"]]},
        {"authorizations": [f"sha-256:{number:064x}" for number in range(10_000)]},
    ],
    ids=lambda claims: "-".join(claims),
)
def test_needed_facts_of_a_hostile_certificate_name_few_statements(claims: dict[str, Any]) -> None:
    needed = facts_needed(usage(claims=claims, disclosed=()).bundle)
    assert len(needed.statements) < 80
    assert all(len(statement) == 64 for statement in needed.statements)


def test_needed_facts_of_a_registration_certificate_have_no_uses_and_holds() -> None:
    needed = facts_needed(registration().bundle)
    assert (needed.uses, needed.statements, needed.withdrawals) == (None, set(), set())
    assert needed.asset == ASSET


NO_FACTS = [
    b"",
    b"[]",
    b"{}",
    b"null",
    b'{"format":1.5}',
    b'{"format":"pingzheng-facts/1"}',
    b'{"format":"pingzheng-facts/2"}',
    b" " * (MAX_FACTS_BYTES + 1),
]


@pytest.mark.parametrize("facts", NO_FACTS, ids=range(len(NO_FACTS)))
def test_file_that_is_not_a_facts_file_is_refused(facts: bytes) -> None:
    with pytest.raises(BadBundle):
        parse_facts(facts)


@pytest.mark.parametrize("member", json.loads(GENUINE.facts.to_bytes()))
def test_facts_with_a_missing_member_are_refused(member: str) -> None:
    saved = json.loads(GENUINE.facts.to_bytes())
    del saved[member]
    with pytest.raises(BadBundle, match="FACTS_FORM"):
        parse_facts(canonical(saved))


def test_bundle_of_the_maximum_size_is_read() -> None:
    assert parse_bundle(TEXT + b" " * (MAX_BUNDLE_BYTES - len(TEXT))) == GENUINE.bundle


@pytest.mark.parametrize("size", range(70))
def test_base64url_text_in_a_wrong_form_is_refused(size: int) -> None:
    text = encode_base64url(bytes(range(size)))
    assert decode_base64url(text, size) == bytes(range(size))
    for other in [f"{text}=", f" {text}", f"{text}A", *([other_spelling(text)] if size % 3 else [])]:
        with pytest.raises(BadBundle):
            decode_base64url(other, size)
