"""ES256K signatures (RFC 8812) in JWS compact and detached form (RFC 7515), with nothing left to choose.

A header holds exactly ``alg``, ``kid``, ``typ``; ``s`` is low; base64url is unpadded and canonical.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from coincurve import PrivateKey, PublicKey
from coincurve.ecdsa import cdata_to_der, deserialize_compact

from ledger.domain.canonical import canonical, parse_json
from ledger.errors import BadBundle, InvalidInput

ALGORITHM: Final = "ES256K"
ENTRY_TYP: Final = "pingzheng-entry+jws"
MAX_HEADER_BYTES: Final = 512
MAX_PAYLOAD_BYTES: Final = 64 * 1024
_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_KID: Final = re.compile(r"0x[0-9a-f]{40}")
_BASE64URL: Final = re.compile(r"[A-Za-z0-9_-]*")


class Signer(Protocol):
    """Signs for one account: a key here, a hardware module elsewhere."""

    @property
    def kid(self) -> str:
        """The account, ``0x`` and 40 lower-case digits."""

    def sign(self, data: bytes) -> bytes:
        """ES256K over ``data``: ``r ‖ s``, 64 bytes, low ``s``."""


class LocalSigner:
    """A signer whose private key is in memory."""

    def __init__(self, private_key: bytes, kid: str) -> None:
        self._key = PrivateKey(private_key)
        self._kid = kid

    @property
    def kid(self) -> str:
        """The account."""
        return self._kid

    @property
    def public_key(self) -> str:
        """Compressed, 66 hex digits."""
        return self._key.public_key.format(compressed=True).hex()

    def sign(self, data: bytes) -> bytes:
        """Deterministic (RFC 6979), low ``s``."""
        return self._key.sign_recoverable(data)[:64]


@dataclass(frozen=True, slots=True)
class Jwk:
    """A secp256k1 public key as JWK (RFC 8812 §3.1); ``x`` and ``y`` are base64url of 32 bytes."""

    x: str
    y: str

    def to_dict(self) -> dict[str, str]:
        """As JSON."""
        return {"kty": "EC", "crv": "secp256k1", "x": self.x, "y": self.y}

    @classmethod
    def from_dict(cls, raw: Any) -> Jwk:
        """Raises ``InvalidInput`` ``JWK_INVALID`` unless it is exactly such a key and a point of the curve."""
        fits = isinstance(raw, Mapping) and raw.keys() == {"kty", "crv", "x", "y"}
        if not fits or (raw["kty"], raw["crv"]) != ("EC", "secp256k1"):
            raise _bad_jwk()
        try:
            x, y = decode_base64url(raw["x"], 32), decode_base64url(raw["y"], 32)
            PublicKey(b"\x04" + x + y)
        except (BadBundle, ValueError, TypeError) as error:
            raise _bad_jwk() from error
        return cls(raw["x"], raw["y"])

    @property
    def compressed(self) -> str:
        """Compressed, 66 hex digits."""
        point = b"\x04" + decode_base64url(self.x, 32) + decode_base64url(self.y, 32)
        return PublicKey(point).format(compressed=True).hex()


def public_jwk(compressed: str) -> Jwk:
    """The JWK of a compressed public key (66 hex digits)."""
    point = PublicKey(bytes.fromhex(compressed)).format(compressed=False)
    return Jwk(encode_base64url(point[1:33]), encode_base64url(point[33:]))


@dataclass(frozen=True, slots=True)
class Jws:
    """A parsed signature with what it signs; nothing is verified yet."""

    kid: str
    typ: str
    payload: bytes
    signing_input: bytes
    signature: bytes

    def signed_by(self, public_key: str) -> bool:
        """Whether the key (compressed, 66 hex digits) made this signature; a high ``s`` is refused."""
        r, s = int.from_bytes(self.signature[:32], "big"), int.from_bytes(self.signature[32:], "big")
        if not (0 < r < _ORDER and 0 < s <= _ORDER // 2):
            return False
        try:
            key = PublicKey(bytes.fromhex(public_key))
            return bool(key.verify(cdata_to_der(deserialize_compact(self.signature)), self.signing_input))
        except ValueError:
            return False


def sign_compact(payload: bytes, signer: Signer, typ: str) -> str:
    """JWS compact serialisation over ``payload``."""
    header = canonical({"alg": ALGORITHM, "kid": signer.kid, "typ": typ})
    signing_input = f"{encode_base64url(header)}.{encode_base64url(payload)}"
    return f"{signing_input}.{encode_base64url(signer.sign(signing_input.encode()))}"


def parse_compact(token: str, typ: str) -> Jws:
    """The parts of a JWS of that ``typ``; raises ``BadBundle`` ``JWS_…``."""
    parts = token.split(".")
    if len(parts) != 3:
        raise BadBundle("JWS_FORM", "A JWS has three parts.", where="signature")
    kid = _kid_of(parts[0], typ)
    payload = decode_base64url(parts[1], None, limit=MAX_PAYLOAD_BYTES)
    return Jws(kid, typ, payload, f"{parts[0]}.{parts[1]}".encode(), decode_base64url(parts[2], 64))


def sign_entry(entry: Mapping[str, Any], signer: Signer) -> dict[str, Any]:
    """The entry with ``signature``: a detached JWS (RFC 7515 appendix F) over its canonical JSON."""
    header, _, signature = sign_compact(canonical(dict(entry)), signer, ENTRY_TYP).split(".")
    return {**entry, "signature": f"{header}..{signature}"}


def entry_signature(entry: Mapping[str, Any]) -> Jws:
    """The signature of a signed entry; raises ``BadBundle`` ``JWS_…``."""
    parts = str(entry.get("signature", "")).split(".")
    if len(parts) != 3 or parts[1]:
        raise BadBundle("JWS_FORM", "A detached JWS has an empty second part.", where="signature")
    body = canonical({name: value for name, value in entry.items() if name != "signature"})
    return parse_compact(f"{parts[0]}.{encode_base64url(body)}.{parts[2]}", ENTRY_TYP)


def entry_signed_by(entry: Mapping[str, Any], account: str, public_key: str) -> bool:
    """Whether that account with that key signed the entry; a signature that cannot be read was made by nobody."""
    try:
        signature = entry_signature(entry)
    except BadBundle:
        return False
    return signature.kid == account and signature.signed_by(public_key)


def encode_base64url(data: bytes) -> str:
    """Unpadded base64url, RFC 7515 §2."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode_base64url(text: Any, size: int | None = None, *, limit: int = MAX_PAYLOAD_BYTES) -> bytes:
    """Strict: only the one encoding of the bytes is taken; raises ``BadBundle`` ``JWS_BASE64URL``."""
    if not isinstance(text, str) or len(text) > limit * 4 // 3 + 4 or not _BASE64URL.fullmatch(text):
        raise BadBundle("JWS_BASE64URL", "This is not base64url.", where="signature")
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError) as error:
        raise BadBundle("JWS_BASE64URL", "This is not base64url.", where="signature") from error
    if encode_base64url(data) != text or (size is not None and len(data) != size):
        raise BadBundle("JWS_BASE64URL", "This is not the one base64url of so many bytes.", where="signature")
    return data


def _kid_of(encoded: str, typ: str) -> str:
    raw = decode_base64url(encoded, None, limit=MAX_HEADER_BYTES)
    try:
        header = parse_json(raw, max_bytes=MAX_HEADER_BYTES, max_depth=2)
    except InvalidInput as error:
        raise BadBundle("JWS_HEADER", error.message, where="header") from error
    if not isinstance(header, dict) or header.keys() != {"alg", "kid", "typ"}:
        raise BadBundle("JWS_HEADER", "A header holds exactly alg, kid and typ.", where="header")
    if header["alg"] != ALGORITHM:
        raise BadBundle("JWS_ALGORITHM", f"Only {ALGORITHM} is accepted.", where="header")
    if header["typ"] != typ:
        raise BadBundle("JWS_TYPE", f"The type must be {typ}.", where="header")
    if not isinstance(header["kid"], str) or not _KID.fullmatch(header["kid"]):
        raise BadBundle("JWS_KID", "The kid is not an account.", where="header")
    return header["kid"]


def _bad_jwk() -> InvalidInput:
    return InvalidInput(
        "JWK_INVALID",
        "This is not a secp256k1 public key as JWK.",
        where="jwk",
        hint='It reads {"kty":"EC","crv":"secp256k1","x":"…","y":"…"}.',
    )
