"""§4: signatures. ES256K is libsecp256k1's; of SM2 only the arithmetic of points is a library's."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import Any

from coincurve import PublicKey
from coincurve.ecdsa import cdata_to_der, deserialize_compact

from tests.proof.second.notation import Json, Refused, canonical, read_json, require, sm3, word

DIGEST_OF_SUITE = {"ES256K": "sha-256", "SM2SM3": "sm3"}
SUITE_OF_CURVE = {"secp256k1": "ES256K", "SM2": "SM2SM3"}
HEADERS = {"ES256K": {"alg", "kid", "typ"}, "SM2SM3": {"alg", "kid", "sm2_id", "typ"}}
ACCOUNT = r"0x[0-9a-f]{40}"
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141

# GB/T 32918.5-2017; a is p − 3.
SM2_P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
SM2_A = SM2_P - 3
SM2_B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
SM2_N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
SM2_G = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)
# The one ``alg`` that a public key verifies, and ``x ‖ y``.
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
    """Only the one encoding of the bytes is taken."""
    require(isinstance(text, str) and re.fullmatch(r"[A-Za-z0-9_-]*", text) and len(text) % 4 != 1)
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    require(to_base64url(data) == text)
    return data


def read_jws(text: str, typ: str) -> Signed:
    parts = text.split(".")
    require(len(parts) == 3)
    header = read_json(from_base64url(parts[0]), size=512, depth=2)
    require(isinstance(header, dict) and isinstance(header.get("alg"), str) and header["alg"] in HEADERS)
    require(header.keys() == HEADERS[header["alg"]])
    require(header["typ"] == typ, isinstance(header["kid"], str) and re.fullmatch(ACCOUNT, header["kid"]))
    sm2_id = header.get("sm2_id", "")
    require(isinstance(sm2_id, str) and re.fullmatch(r"[ -~]{0,64}", sm2_id))
    payload, signature = from_base64url(parts[1]), from_base64url(parts[2])
    require(len(payload) <= 64 * 1024, len(signature) == 64)
    return Signed(header, payload, f"{parts[0]}.{parts[1]}".encode(), signature)


def read_detached(entry: Json) -> Signed:
    """The signature of an entry: its payload is the entry without it (RFC 7515 appendix F)."""
    parts = entry["signature"].split("..")
    require(len(parts) == 2)
    body = canonical({name: value for name, value in entry.items() if name != "signature"})
    return read_jws(f"{parts[0]}.{to_base64url(body)}.{parts[1]}", "pingzheng-entry+jws")


def key_of_jwk(jwk: Any) -> Key:
    require(isinstance(jwk, dict) and jwk.keys() == {"kty", "crv", "x", "y"})
    require(jwk["kty"] == "EC", isinstance(jwk["crv"], str) and jwk["crv"] in SUITE_OF_CURVE)
    x, y = from_base64url(jwk["x"]), from_base64url(jwk["y"])
    require(len(x) == len(y) == 32)
    if jwk["crv"] == "secp256k1":
        return "ES256K", secp256k1_point(b"\x04" + x + y)
    require(on_sm2_curve(int.from_bytes(x, "big"), int.from_bytes(y, "big")))
    return "SM2SM3", x + y


def key_of_text(text: str) -> Key:
    """Facts whose key is no key have none that verifies."""
    require(re.fullmatch(r"(sm2:)?0[23][0-9a-f]{64}", text))
    if not text.startswith("sm2:"):
        return "ES256K", secp256k1_point(bytes.fromhex(text))
    parity, x = int(text[5]) % 2, int(text[6:], 16)
    y = pow(x**3 + SM2_A * x + SM2_B, (SM2_P + 1) // 4, SM2_P)
    y = y if y % 2 == parity else SM2_P - y
    require(on_sm2_curve(x, y))
    return "SM2SM3", word(x) + word(y)


def secp256k1_point(encoded: bytes) -> bytes:
    try:
        return PublicKey(encoded).format(compressed=False)[1:]
    except ValueError as error:
        raise Refused from error


def on_sm2_curve(x: int, y: int) -> bool:
    return x < SM2_P and y < SM2_P and (y * y - x**3 - SM2_A * x - SM2_B) % SM2_P == 0


def signed_by(signed: Signed, key: Key) -> bool:
    """A key of one suite never verifies a signature of the other."""
    r, s = int.from_bytes(signed.signature[:32], "big"), int.from_bytes(signed.signature[32:], "big")
    alg, point = key
    if alg == signed.header["alg"] == "SM2SM3":
        return signed_by_sm2(signed.signing_input, signed.header["sm2_id"].encode(), point, r, s)
    if not (alg == signed.header["alg"] and 0 < r < ORDER and 0 < s <= ORDER // 2):
        return False
    der = cdata_to_der(deserialize_compact(signed.signature))
    return PublicKey(b"\x04" + point).verify(der, signed.signing_input)


def signed_by_sm2(message: bytes, identity: bytes, point: bytes, r: int, s: int) -> bool:
    """GB/T 32918.2-2016 §7: (x₁, y₁) = s·G + (r + s)·P, and r is e + x₁."""
    if not (0 < r < SM2_N and 0 < s < SM2_N and (r + s) % SM2_N):
        return False
    entl = (8 * len(identity)).to_bytes(2, "big")
    z = sm3(entl + identity + word(SM2_A) + word(SM2_B) + word(SM2_G[0]) + word(SM2_G[1]) + point)
    e = int.from_bytes(sm3(z + message), "big")
    public = int.from_bytes(point[:32], "big"), int.from_bytes(point[32:], "big")
    try:
        from gmalg.ellipticcurve import ECDLP  # an extra; without it the check that needs it fails (§4)
    except ImportError as error:
        raise Refused from error
    curve = ECDLP(SM2_P, SM2_A, SM2_B, SM2_G, SM2_N).ec
    found = curve.add(curve.mul(s, SM2_G), curve.mul((r + s) % SM2_N, public))
    return found != curve.INF and (e + found[0]) % SM2_N == r
