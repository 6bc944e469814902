"""SM2 and SM3 compared with the openssl command: it accepts our signatures, and we accept its signatures."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.domain.canonical import canonical, digest
from ledger.domain.digests import HASHES
from ledger.proof.jws import Sm2Signer, encode_base64url, parse_compact, public_jwk, sign_compact
from ledger.proof.suites import sm2
from ledger.proof.suites.suite import SM2SM3
from tests.support.bundles.sm_cast import SM_ISSUER, sm_usage

MESSAGE = b"a message of the length of any \x00\xff" * 3
IDENTITIES = ("", sm2.DEFAULT_ID, "1", "ALICE123@YAHOO.COM", "a:b c=d", "x" * 64)
SECRET = hashlib.sha256(b"a key that OpenSSL has, too").digest()
SIGNER = Sm2Signer(SECRET)
POINT = SM2SM3.point_of(SIGNER.public_key)
OID = bytes.fromhex("06082a811ccf5501822d")
EC_KEY = bytes.fromhex("06072a8648ce3d0201")


def openssl(*arguments: str | Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    assert shutil.which("openssl"), "these tests need the openssl command: it is what they compare with"
    return subprocess.run(["openssl", *map(str, arguments)], input=stdin, capture_output=True, timeout=60)


def tlv(tag: int, *parts: bytes) -> bytes:
    """Return a DER element with a length below 128."""
    content = b"".join(parts)
    return bytes([tag, len(content)]) + content


def integer(number: int) -> bytes:
    return tlv(2, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def der(signature: bytes) -> bytes:
    """Return the signature ``r ‖ s`` in DER, the format of OpenSSL."""
    return tlv(0x30, *(integer(int.from_bytes(half, "big")) for half in (signature[:32], signature[32:])))


def plain(signature: bytes) -> bytes:
    """Return OpenSSL's signature as ``r ‖ s``."""
    first = signature[4 : 4 + signature[3]]
    second = signature[6 + len(first) :]
    assert signature == tlv(0x30, tlv(2, first), tlv(2, second))
    return b"".join(int.from_bytes(half, "big").to_bytes(32, "big") for half in (first, second))


class Keys:
    """Files with the key, the message and the signature in OpenSSL's formats."""

    def __init__(self, folder: Path, point: bytes = POINT) -> None:
        public = tlv(3, b"\x00\x04", point)
        self.private, self.public, self.message = folder / "private.der", folder / "public.der", folder / "message"
        self.private.write_bytes(tlv(0x30, integer(1), tlv(4, SECRET), tlv(0xA0, OID), tlv(0xA1, public)))
        self.public.write_bytes(tlv(0x30, tlv(0x30, EC_KEY, OID), public))
        self.signature = folder / "signature"

    def accepts(self, message: bytes, signature: bytes, identity: str) -> bool:
        """Return whether ``openssl dgst`` accepts the signature; fail if its answer is neither yes nor no."""
        self.message.write_bytes(message)
        self.signature.write_bytes(der(signature))
        key = ("-keyform", "DER", "-verify", self.public, "-signature", self.signature)
        done = openssl("dgst", "-sm3", *key, "-sigopt", f"distid:{identity}", self.message)
        assert done.stdout.strip().lower() in (b"verified ok", b"verification failure"), done.stderr
        return done.returncode == 0

    def signs(self, message: bytes, identity: str) -> bytes:
        self.message.write_bytes(message)
        key = ("-keyform", "DER", "-sign", self.private)
        done = openssl("dgst", "-sm3", *key, "-sigopt", f"distid:{identity}", self.message)
        assert done.returncode == 0, done.stderr
        return plain(done.stdout)


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(tmp_path)


@pytest.mark.parametrize("identity", IDENTITIES)
def test_openssl_accepts_our_signature_only_with_the_identity_used_for_signing(keys: Keys, identity: str) -> None:
    signature = Sm2Signer(SECRET, identity).sign(MESSAGE)
    assert keys.accepts(MESSAGE, signature, identity)
    assert not keys.accepts(MESSAGE, signature, identity[:-1] + "?")
    assert not keys.accepts(MESSAGE + b".", signature, identity)


@pytest.mark.parametrize("identity", IDENTITIES)
def test_we_accept_a_signature_of_openssl_only_with_the_identity_used_for_signing(keys: Keys, identity: str) -> None:
    signature = keys.signs(MESSAGE, identity)
    assert sm2.verify(POINT, MESSAGE, signature, identity)
    assert not sm2.verify(POINT, MESSAGE, signature, identity[:-1] + "?")
    assert not sm2.verify(POINT, MESSAGE + b".", signature, identity)


@pytest.mark.parametrize("identity", ["", sm2.DEFAULT_ID])
def test_jws_signed_by_openssl_is_accepted(keys: Keys, identity: str) -> None:
    header = {"alg": "SM2SM3", "kid": SIGNER.kid, "sm2_id": identity, "typ": "test"}
    signing_input = f"{encode_base64url(canonical(header))}.{encode_base64url(MESSAGE)}"
    token = f"{signing_input}.{encode_base64url(keys.signs(signing_input.encode(), identity))}"
    assert parse_compact(token, "test").signed_by(SIGNER.public_key)


def test_openssl_verifies_the_issuers_signature(tmp_path: Path) -> None:
    keys = Keys(tmp_path, SM2SM3.point_of(SM_ISSUER.signer.public_key))
    signing_input, _, signature = sm_usage().token.rpartition(".")
    jws = parse_compact(f"{signing_input}.{signature}", "dc+sd-jwt")
    assert keys.accepts(signing_input.encode(), jws.signature, jws.sm2_id)
    assert not keys.accepts(signing_input.replace("e", "f", 1).encode(), jws.signature, jws.sm2_id)


def test_openssl_and_our_code_derive_the_same_public_key(keys: Keys) -> None:
    done = openssl("ec", "-inform", "DER", "-in", keys.private, "-pubout", "-outform", "DER")
    assert done.stdout == keys.public.read_bytes(), done.stderr
    compressed = openssl(
        "ec", "-inform", "DER", "-in", keys.private, "-pubout", "-outform", "DER", "-conv_form", "compressed"
    )
    assert compressed.stdout.hex().endswith(SIGNER.public_key.removeprefix("sm2:"))
    assert public_jwk(SIGNER.public_key).compressed == SIGNER.public_key


@settings(max_examples=20)
@given(st.binary(max_size=5_000))
def test_sm3_digests_equal_those_of_openssl(data: bytes) -> None:
    done = openssl("dgst", "-sm3", "-r", stdin=data)
    assert digest(data, "sm3") == f"sm3:{done.stdout.decode().split()[0]}"


# --- the standards' own examples --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "hashed"),
    [
        (b"abc", "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"),
        (b"abcd" * 16, "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"),
    ],
    ids=["A.1", "A.2"],
)
def test_sm3_gives_the_digests_of_the_examples_of_gb_t_32905(message: bytes, hashed: str) -> None:
    assert HASHES["sm3"](message).hex() == hashed


def test_the_signature_example_of_gb_t_32918_5_verifies() -> None:
    """In appendix A of GB/T 32918.5, the key with this secret signs the text "message digest" with the default
    identity.
    """
    secret = bytes.fromhex("3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8")
    point = bytes.fromhex(
        "09F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020"
        "CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13"
    )
    signature = bytes.fromhex(
        "F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3"
        "B1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA"
    )
    assert sm2.public_point(secret) == point
    assert sm2.verify(point, b"message digest", signature, sm2.DEFAULT_ID)
    assert not sm2.verify(point, b"message digest", signature, "")


def test_two_signatures_of_one_message_differ_and_verify() -> None:
    tokens = {sign_compact(b"{}", SIGNER, "test") for _ in range(2)}
    assert len(tokens) == 2
    assert all(parse_compact(token, "test").signed_by(SIGNER.public_key) for token in tokens)
