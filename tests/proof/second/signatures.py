"""§4: signatures. OpenSSL computes ECDSA; for SM2 a library computes only the arithmetic of points."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from tests.proof.second.notation import Json, NotInstalled, Refused, read_json, require, sm3, unsigned, word

DIGEST_OF_SUITE = {"ES256K": "sha-256", "ES256": "sha-256", "SM2SM3": "sm3"}
SUITE_OF_CURVE = {"secp256k1": "ES256K", "P-256": "ES256", "SM2": "SM2SM3"}
SUITE_OF_PREFIX = {"": "ES256K", "p256:": "ES256", "sm2:": "SM2SM3"}
HEADERS = {alg: {"alg", "kid", "typ"} for alg in ("ES256K", "ES256")} | {"SM2SM3": {"alg", "kid", "sm2_id", "typ"}}
ACCOUNT = r"0x[0-9a-f]{40}"
CURVES = {"ES256K": ec.SECP256K1(), "ES256": ec.SECP256R1()}
ORDERS = {
    "ES256K": 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141,
    "ES256": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
}

# The curve of GB/T 32918.5-2017; a is p − 3.
SM2_P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
SM2_A = SM2_P - 3
SM2_B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
SM2_N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
SM2_G = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)
# A public key: the ``alg`` with which it signs, and its point ``x ‖ y``. It is valid for no other ``alg``.
Key = tuple[str, bytes]


@dataclass(frozen=True)
class Signed:
    """A JWS; nothing is verified yet."""

    header: Json
    payload: bytes
    signing_input: bytes
    signature: bytes


def to_base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_base64url(text: Any) -> bytes:
    """Return the bytes; only canonical base64url is accepted."""
    require(isinstance(text, str) and re.fullmatch(r"[A-Za-z0-9_-]*", text) and len(text) % 4 != 1)
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    require(to_base64url(data) == text)
    return data


def read_jws(text: str, typ: str) -> Signed:
    parts = text.split(".")
    require(len(parts) == 3)
    header = read_json(from_base64url(parts[0]), size=512)
    require(isinstance(header, dict) and isinstance(header.get("alg"), str) and header["alg"] in HEADERS)
    # The header of a key binding may lack ``kid``. Some wallets do not write it, because the certificate's ``cnf``
    # already names the key.
    members = header.keys() | {"kid"} if typ == "kb+jwt" else header.keys()
    require(members == HEADERS[header["alg"]])
    require(header["typ"] == typ)
    kid = header.get("kid", "0x" + "0" * 40)
    require(isinstance(kid, str) and re.fullmatch(ACCOUNT, kid))
    sm2_id = header.get("sm2_id", "")
    require(isinstance(sm2_id, str) and re.fullmatch(r"[ -~]{0,64}", sm2_id))
    payload, signature = from_base64url(parts[1]), from_base64url(parts[2])
    require(len(payload) <= 64 * 1024, len(signature) == 64)
    return Signed(header, payload, f"{parts[0]}.{parts[1]}".encode(), signature)


def read_detached(entry: Json) -> Signed:
    """Return the signature of an entry; its payload is the entry without ``signature`` (RFC 7515 appendix F)."""
    parts = entry["signature"].split("..")
    require(len(parts) == 2)
    return read_jws(f"{parts[0]}.{to_base64url(unsigned(entry))}.{parts[1]}", "pingzheng-entry+jws")


def key_of_jwk(jwk: Any) -> Key:
    require(isinstance(jwk, dict) and jwk.keys() == {"kty", "crv", "x", "y"})
    require(jwk["kty"] == "EC", isinstance(jwk["crv"], str) and jwk["crv"] in SUITE_OF_CURVE)
    x, y = from_base64url(jwk["x"]), from_base64url(jwk["y"])
    require(len(x) == 32)
    return SUITE_OF_CURVE[jwk["crv"]], point_of(SUITE_OF_CURVE[jwk["crv"]], b"\x04" + x + y)


def key_of_text(text: str) -> Key:
    """Return the key in a text; refuse an invalid key."""
    found = re.fullmatch(r"(sm2:|p256:|)(0[23][0-9a-f]{64})", text)
    if found is None:
        raise Refused
    alg = SUITE_OF_PREFIX[found[1]]
    return alg, point_of(alg, bytes.fromhex(found[2]))


def text_of_key(key: Key) -> str:
    alg, point = key
    prefix = next(prefix for prefix, suite in SUITE_OF_PREFIX.items() if suite == alg)
    return f"{prefix}0{2 + point[63] % 2}{point[:32].hex()}"


def point_of(alg: str, encoded: bytes) -> bytes:
    """Return ``x ‖ y`` of a point; refuse a point that is not on the curve."""
    if alg == "SM2SM3":
        return sm2_point(encoded)
    try:
        numbers = ec.EllipticCurvePublicKey.from_encoded_point(CURVES[alg], encoded).public_numbers()
    except ValueError as error:
        raise Refused from error
    return word(numbers.x) + word(numbers.y)


def sm2_point(encoded: bytes) -> bytes:
    x, y = int.from_bytes(encoded[1:33], "big"), int.from_bytes(encoded[33:], "big")
    if encoded[0] != 4:
        y = pow(x**3 + SM2_A * x + SM2_B, (SM2_P + 1) // 4, SM2_P)
        y = y if y % 2 == encoded[0] % 2 else SM2_P - y
    require(max(x, y) < SM2_P, (y * y - x**3 - SM2_A * x - SM2_B) % SM2_P == 0)
    return word(x) + word(y)


def sm2_curve() -> Any:
    try:
        from gmalg.ellipticcurve import ECDLP  # an optional package
    except ImportError as error:
        raise NotInstalled from error
    return ECDLP(SM2_P, SM2_A, SM2_B, SM2_G, SM2_N).ec


def require_installed(alg: str) -> None:
    """Raise ``NotInstalled`` if the library of the suite is not installed (§4)."""
    if alg == "SM2SM3":
        sm2_curve()


def signed_by(signed: Signed, key: Key, *, high_s: bool = False) -> bool:
    """Return whether the key made the signature; a key of another suite never did.

    ``high_s`` accepts a high ``s``, which is allowed only for a key binding.
    """
    if key[0] != signed.header["alg"]:
        return False
    if key[0] == "SM2SM3":
        return signed_by_sm2(signed.signing_input, signed.header["sm2_id"].encode(), key[1], signed.signature)
    return signed_by_ecdsa(signed.signing_input, signed.signature, key, high_s=high_s)


def signed_by_ecdsa(message: bytes, signature: bytes, key: Key, *, high_s: bool = False) -> bool:
    alg, point = key
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if s > ORDERS[alg] // 2 and not high_s:
        return False
    public_key = ec.EllipticCurvePublicKey.from_encoded_point(CURVES[alg], b"\x04" + point)
    try:
        public_key.verify(encode_dss_signature(r, s), message, ec.ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


def signed_by_sm2(message: bytes, identity: bytes, point: bytes, signature: bytes) -> bool:
    """Verify as in GB/T 32918.2-2016 §7: compute (x₁, y₁) = s·G + (r + s)·P, and require r = (e + x₁) mod n."""
    curve = sm2_curve()
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    # There is no check that r is below n here: if r is n or more, the comparison in the last line fails.
    if not (r > 0 and 0 < s < SM2_N and (r + s) % SM2_N):
        return False
    entl = (8 * len(identity)).to_bytes(2, "big")
    z = sm3(entl + identity + word(SM2_A) + word(SM2_B) + word(SM2_G[0]) + word(SM2_G[1]) + point)
    e = int.from_bytes(sm3(z + message), "big")
    public = int.from_bytes(point[:32], "big"), int.from_bytes(point[32:], "big")
    found = curve.add(*(curve.mul(k, of) for k, of in ((s, SM2_G), ((r + s) % SM2_N, public))))
    # At the point at infinity gmalg has no coordinates, so this point must be excluded first.
    return found != curve.INF and (e + int(found[0])) % SM2_N == r
