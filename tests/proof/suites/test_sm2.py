"""SM2 signatures and keys outside of a certificate, compared with those of ES256K."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ledger.chain.accounts import account_of_public_key, check_public_key
from ledger.domain.canonical import canonical
from ledger.errors import BadBundle, InvalidInput
from ledger.proof.jws import (
    ENTRY_TYP,
    Sm2Signer,
    encode_base64url,
    parse_compact,
    sign_compact,
)
from ledger.proof.sdjwt import CERTIFICATE_TYP
from ledger.proof.suites import sm2
from ledger.proof.suites.suite import SM2SM3, SUITES
from tests.support.bundles.cast import ISSUER, PARTIES, Actor
from tests.support.bundles.sm_cast import SM_ISSUER, by_sm2

SIGNATURE = "A" * 86
IDENTITIES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=64)
SECRETS = [hashlib.sha256(bytes([number])).digest() for number in range(3)]


@settings(max_examples=12)
@given(st.binary(max_size=300), st.sampled_from(SECRETS), IDENTITIES, IDENTITIES)
def test_sm2_signature_verifies_only_with_the_signers_key_and_identity(
    payload: bytes, secret: bytes, identity: str, other: str
) -> None:
    signer = Sm2Signer(secret, identity)
    jws = parse_compact(sign_compact(payload, signer, "test"), "test")
    assert (jws.suite, jws.sm2_id, jws.kid, jws.payload) == (SM2SM3, identity, signer.kid, payload)
    assert jws.signed_by(signer.public_key)
    assert not jws.signed_by(Sm2Signer(SECRETS[(SECRETS.index(secret) + 1) % 3]).public_key)
    assert replace(jws, sm2_id=other).signed_by(signer.public_key) is (identity == other)


@settings(max_examples=12)
@given(st.data())
def test_signature_does_not_verify_after_a_changed_byte(data: st.DataObject) -> None:
    token = sign_compact(b"payload " * 8, Sm2Signer(SECRETS[0]), "test")
    jws = parse_compact(token, "test")
    member = data.draw(st.sampled_from(["signing_input", "signature"]))
    raw = bytearray(getattr(jws, member))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    changed: dict[str, Any] = {member: bytes(raw)}
    assert not replace(jws, **changed).signed_by(Sm2Signer(SECRETS[0]).public_key)


@pytest.mark.parametrize("party", PARTIES, ids=lambda party: party.name)
@pytest.mark.parametrize("typ", [ENTRY_TYP, CERTIFICATE_TYP])
def test_key_of_one_suite_never_verifies_a_signature_of_the_other_suite(party: Actor, typ: str) -> None:
    """A key of one suite verifies no signature of the other suite, even if both keys have the same secret, or if the
    header names the other suite.
    """
    classic, modern = party.signer, by_sm2(party).signer
    for mine, theirs in ((classic, modern), (modern, classic)):
        jws = parse_compact(sign_compact(b"{}", mine, typ), typ)
        assert jws.signed_by(mine.public_key)
        assert not jws.signed_by(theirs.public_key)
        for suite in SUITES.values():
            assert not replace(jws, suite=suite).signed_by(theirs.public_key)


@given(st.integers(0, 2**256 - 1), st.booleans())
def test_point_is_unchanged_after_compression_and_a_point_outside_the_curve_is_refused(x: int, odd: bool) -> None:
    compressed = f"{2 + odd:02x}{x:064x}"
    try:
        point = sm2.expand(compressed)
    except ValueError:
        for y in (0, 1, x):
            with pytest.raises(ValueError, match="SM2 curve"):
                sm2.compress(x.to_bytes(32, "big") + y.to_bytes(32, "big"))
        return
    assert sm2.compress(point) == compressed
    with pytest.raises(ValueError, match="SM2 curve"):
        sm2.compress(point[:32] + (int.from_bytes(point[32:], "big") ^ 2).to_bytes(32, "big"))


@pytest.mark.parametrize(
    "key",
    ["sm2:", "sm2:" + "00" * 33, "sm2:02" + "ff" * 32, "sm3:" + "02" * 33, "SM2:" + SM_ISSUER.signer.public_key[4:]],
)
def test_invalid_key_verifies_no_signature(key: str) -> None:
    jws = parse_compact(sign_compact(b"", SM_ISSUER.signer, "test"), "test")
    assert not jws.signed_by(key)
    with pytest.raises(InvalidInput, match="PUBLIC_KEY_INVALID"):
        check_public_key(key, suites=SUITES.values())


def test_sm2_key_cannot_act_on_the_chain() -> None:
    key = SM_ISSUER.signer.public_key
    assert check_public_key(key, suites=SUITES.values()) == key
    with pytest.raises(InvalidInput, match="PUBLIC_KEY_INVALID"):
        check_public_key(key)


def test_account_of_an_sm2_key_is_the_last_20_bytes_of_its_sm3_hash() -> None:
    point = SM2SM3.point_of(SM_ISSUER.signer.public_key)
    assert SM_ISSUER.account == account_of_public_key(SM_ISSUER.signer.public_key)
    assert SM_ISSUER.account == "0x" + hashlib.new("sm3", point).hexdigest()[-40:]
    assert SM_ISSUER.account != ISSUER.account


@pytest.mark.parametrize("secret", [0, sm2.ORDER - 1, sm2.ORDER, 2**256 - 1])
def test_secret_key_not_below_the_order_of_the_curve_is_refused(secret: int) -> None:
    with pytest.raises(InvalidInput, match="PRIVATE_KEY_INVALID"):
        Sm2Signer(secret.to_bytes(32, "big"))


@pytest.mark.parametrize("secret", [1, sm2.ORDER - 2])
def test_smallest_and_largest_secret_key_can_sign(secret: int) -> None:
    signer = Sm2Signer(secret.to_bytes(32, "big"))
    assert parse_compact(sign_compact(b"x", signer, "test"), "test").signed_by(signer.public_key)


@given(IDENTITIES)
def test_sm2_header_must_have_exactly_one_identity(identity: str) -> None:
    header = {"alg": "SM2SM3", "kid": SM_ISSUER.account, "sm2_id": identity, "typ": "test"}
    rest = f"e30.{SIGNATURE}"
    assert parse_compact(f"{encode_base64url(canonical(header))}.{rest}", "test").sm2_id == identity
    for bad in (
        {name: value for name, value in header.items() if name != "sm2_id"},
        header | {"alg": "ES256K"},
        header | {"sm2_id ": identity},
    ):
        with pytest.raises(BadBundle, match="JWS_HEADER"):
            parse_compact(f"{encode_base64url(canonical(bad))}.{rest}", "test")


NUMBERS = st.integers(1, 20) | st.integers(1, 20).map(lambda few: sm2.ORDER - few) | st.integers(1, sm2.ORDER - 1)


@settings(max_examples=30)
@given(NUMBERS, NUMBERS)
@example(1, 1)
@example(2, sm2.ORDER - 1)
@example((sm2.ORDER + 1) // 2, 2)
@example(1 << 255, (1 << 255) - 1)
def test_our_multiplication_of_points_gives_the_results_of_gmalg(number: int, other: int) -> None:
    curve = sm2._curve()
    theirs = type(curve.ec).mul
    point = sm2._multiply(other, curve.G)
    assert point == theirs(curve.ec, other, curve.G)
    assert sm2._multiply(number, point) == theirs(curve.ec, number, point)


@pytest.mark.parametrize("secret", SECRETS)
def test_a_point_multiplied_by_the_order_is_the_point_at_infinity(secret: bytes) -> None:
    curve = sm2._curve()
    point = sm2._multiply(int.from_bytes(secret, "big") % sm2.ORDER, curve.G)
    assert sm2._multiply(sm2.ORDER, point) == curve.ec.INF
    assert sm2._multiply(sm2.ORDER + 1, point) == point
    assert sm2._multiply(sm2.ORDER - 1, point) == (point[0], sm2._P - point[1])
