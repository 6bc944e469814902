"""P-256 keys and signatures outside of a certificate: the examples of the RFCs, and the limits of keys and points."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import InvalidInput
from ledger.proof.jws import (
    Es256Signer,
    Jwk,
    decode_base64url,
    parse_compact,
    public_jwk,
    sign_compact,
)
from ledger.proof.suites import p256
from ledger.proof.suites.suite import ES256
from tests.support.bundles.p256_cast import (
    P_ISSUER,
)

# The example in RFC 6979 A.2.5 for SHA-256 and the message "sample"; its signature has a high ``s``.
SECRET = bytes.fromhex("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721")
SAMPLE_R = 0xEFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716
SAMPLE_S = 0xF7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8


def test_signature_is_that_of_rfc_6979_with_a_low_s() -> None:
    signature = p256.PrivateKey(SECRET).sign(b"sample")
    assert signature == SAMPLE_R.to_bytes(32, "big") + (p256.ORDER - SAMPLE_S).to_bytes(32, "big")
    high = signature[:32] + SAMPLE_S.to_bytes(32, "big")
    point = p256.PrivateKey(SECRET).point
    assert p256.verify(point, b"sample", signature) and p256.verify(point, b"sample", high)
    assert (ES256.unaltered(signature), ES256.unaltered(high)) == (True, False)


def test_example_of_rfc_7515_verifies() -> None:
    """The example is in appendix A.3 of RFC 7515. The test calls the suite directly, because our parser would refuse
    the example's header.
    """
    header, payload, signature = [
        "eyJhbGciOiJFUzI1NiJ9",
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
    ]
    x, y = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
    point = decode_base64url(x) + decode_base64url(y)
    raw = decode_base64url(signature, 64)
    assert ES256.verify(point, f"{header}.{payload}".encode(), raw, "")
    assert not ES256.verify(point, f"{header}.{payload}x".encode(), raw, "")


def test_account_of_a_p256_key_is_the_last_20_bytes_of_its_hash() -> None:
    point = ES256.point_of(P_ISSUER.signer.public_key)
    assert P_ISSUER.account == "0x" + hashlib.sha256(b"ES256" + point).hexdigest()[-40:]
    assert P_ISSUER.account == p256.account_of(point)


@given(st.binary(max_size=200))
def test_signing_twice_gives_the_same_signature(data: bytes) -> None:
    signature = P_ISSUER.signer.sign(data)
    assert signature == P_ISSUER.signer.sign(data)
    assert ES256.unaltered(signature)
    assert p256.verify(ES256.point_of(P_ISSUER.signer.public_key), data, signature)


@pytest.mark.parametrize("secret", [0, p256.ORDER, 2**256 - 1])
def test_secret_key_not_below_the_order_of_the_curve_is_refused(secret: int) -> None:
    with pytest.raises(InvalidInput, match="PRIVATE_KEY_INVALID"):
        Es256Signer(secret.to_bytes(32, "big"))


@pytest.mark.parametrize("secret", [b"", b"\1", b"\1" * 31, b"\1" * 33])
def test_secret_key_of_a_wrong_length_is_refused(secret: bytes) -> None:
    with pytest.raises(InvalidInput, match="PRIVATE_KEY_INVALID"):
        Es256Signer(secret)


@pytest.mark.parametrize("secret", [1, p256.ORDER - 1])
def test_smallest_and_largest_secret_key_can_sign(secret: int) -> None:
    signer = Es256Signer(secret.to_bytes(32, "big"))
    assert parse_compact(sign_compact(b"x", signer, "test"), "test").signed_by(signer.public_key)


FIELD = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
NO_POINTS = {
    "nothing": b"",
    "short": b"\1" * 63,
    "long": p256.PrivateKey(SECRET).point + b"\0",
    "zero": bytes(64),
    "off the curve": b"\1" * 64,
    "x beyond the field": (FIELD + 5).to_bytes(32, "big") + b"\1" * 32,
    "y beyond the field": p256.PrivateKey(SECRET).point[:32] + (2**256 - 1).to_bytes(32, "big"),
}


@pytest.mark.parametrize("name", NO_POINTS)
def test_invalid_point_is_refused(name: str) -> None:
    with pytest.raises(ValueError):
        p256.compress(NO_POINTS[name])


@pytest.mark.parametrize(
    "text",
    ["", "00" * 33, "04" + "11" * 32, "02" + "ff" * 32, "02" + f"{FIELD:064x}", "02" + "AB" * 32, "02" + "11" * 31],
)
def test_invalid_compressed_point_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        p256.expand(text)
    assert not parse_compact(sign_compact(b"", P_ISSUER.signer, "test"), "test").signed_by(f"p256:{text}")


@given(st.integers(1, p256.ORDER - 1))
def test_key_is_unchanged_after_writing_it_as_text_or_jwk(secret: int) -> None:
    signer = Es256Signer(secret.to_bytes(32, "big"))
    point = ES256.point_of(signer.public_key)
    assert ES256.key_of(point) == signer.public_key
    assert Jwk.from_dict(public_jwk(signer.public_key).to_dict()).compressed == signer.public_key
