# SPDX-License-Identifier: Apache-2.0
"""JWS signatures in compact and detached form (RFC 7515), only with ES256K, ES256, or SM2 with SM3.

A header has exactly the members ``alg``, ``kid``, ``typ``, and for SM2 ``sm2_id``; base64url is unpadded and canonical.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple, Protocol

from coincurve import PrivateKey

from ledger.domain.canonical import canonical, parse_json
from ledger.domain.entries import unsigned_body
from ledger.errors import BadBundle, InvalidInput
from ledger.proof.suites import KEPT_KEYS, p256, sm2
from ledger.proof.suites.suite import CURVES, ES256, ES256K, SM2SM3, SUITES, Suite, suite_of_key

ENTRY_TYP: Final = "pingzheng-entry+jws"
MAX_HEADER_BYTES: Final = 512
MAX_PAYLOAD_BYTES: Final = 64 * 1024
_TO_URL: Final = bytes.maketrans(b"+/", b"-_")
_FROM_URL: Final = bytes.maketrans(b"-_", b"+/")
_KID: Final = re.compile(r"0x[0-9a-f]{40}")


class Signer(Protocol):
    """Signs for one account, with a key in memory or a hardware module."""

    @property
    def kid(self) -> str:
        """The account, ``0x`` and 40 lower-case digits."""

    @property
    def public_key(self) -> str:
        """The account's public key as text."""

    @property
    def algorithm(self) -> Mapping[str, str]:
        """The members of a header that name the algorithm: ``alg``, and for SM2 also ``sm2_id``."""

    def sign(self, data: bytes) -> bytes:
        """Return the signature over ``data``: ``r ‖ s``, 64 bytes, with a low ``s`` for ES256K and ES256."""


class LocalSigner:
    """An ES256K signer with its private key in memory."""

    def __init__(self, private_key: bytes, kid: str) -> None:
        self._key = PrivateKey(private_key)
        self.kid = kid
        self.public_key = self._key.public_key.format(compressed=True).hex()
        self.algorithm = {"alg": ES256K.alg}

    def sign(self, data: bytes) -> bytes:
        """Return ``r ‖ s`` with a low ``s``; deterministic (RFC 6979)."""
        return self._key.sign_recoverable(data)[:64]


class Es256Signer:
    """An ES256 signer with its private key in memory; the account is computed from the key.

    Raises ``InvalidInput`` ``PRIVATE_KEY_INVALID``.
    """

    def __init__(self, private_key: bytes) -> None:
        self._key = p256.PrivateKey(private_key)
        self.kid = p256.account_of(self._key.point)
        self.public_key = ES256.key_of(self._key.point)
        self.algorithm = {"alg": ES256.alg}

    def sign(self, data: bytes) -> bytes:
        """Return ``r ‖ s`` with a low ``s``; deterministic (RFC 6979)."""
        return self._key.sign(data)


class Sm2Signer:
    """An SM2 signer with its private key in memory. It is slow and not constant-time: use it only for tests and trials.

    Raises ``InvalidInput`` ``PRIVATE_KEY_INVALID``, ``SM2_ID_INVALID``; ``Misconfigured`` ``SUITE_NOT_INSTALLED``.
    """

    def __init__(self, private_key: bytes, sm2_id: str = sm2.DEFAULT_ID) -> None:
        if not sm2.is_id(sm2_id):
            raise InvalidInput("SM2_ID_INVALID", f"An sm2_id must have 0 to {sm2.MAX_ID} printable ASCII characters.")
        self._key = private_key
        self._point = sm2.public_point(private_key)
        self._sm2_id = sm2_id
        self.kid = sm2.account_of(self._point)
        self.public_key = SM2SM3.key_of(self._point)
        self.algorithm = {"alg": SM2SM3.alg, "sm2_id": sm2_id}

    def sign(self, data: bytes) -> bytes:
        """Return ``r ‖ s``, each time with a new random number, so that two signatures always differ."""
        return sm2.sign(self._key, self._point, data, self._sm2_id)


@dataclass(frozen=True, slots=True)
class Jwk:
    """A public key as JWK (RFC 7517, RFC 8812 §3.1); ``x`` and ``y`` are base64url of 32 bytes.

    ``crv`` is ``secp256k1``, ``P-256`` or ``SM2``.
    """

    crv: str
    x: str
    y: str

    def to_dict(self) -> dict[str, str]:
        """Return the key as a JSON object."""
        return {"kty": "EC", "crv": self.crv, "x": self.x, "y": self.y}

    @classmethod
    def from_dict(cls, raw: Any) -> Jwk:
        """Return the key in a JWK.

        Raises ``InvalidInput`` ``JWK_INVALID`` for other members or a point off the curve.
        """
        fits = isinstance(raw, Mapping) and raw.keys() == {"kty", "crv", "x", "y"}
        if not fits or raw["kty"] != "EC" or not all(isinstance(raw[name], str) for name in ("crv", "x", "y")):
            raise _bad_jwk()
        try:
            _key_in_jwk(raw["crv"], raw["x"], raw["y"])
        except (BadBundle, KeyError, ValueError) as error:
            raise _bad_jwk() from error
        return cls(raw["crv"], raw["x"], raw["y"])

    @property
    def compressed(self) -> str:
        """The key as text: the prefix of its curve and 66 hex digits."""
        return _key_in_jwk(self.crv, self.x, self.y)


@lru_cache(maxsize=KEPT_KEYS)
def _key_in_jwk(crv: str, x: str, y: str) -> str:
    return CURVES[crv].key_of(decode_base64url(x, 32) + decode_base64url(y, 32))


def public_jwk(key: str) -> Jwk:
    """Return the JWK of a public key that is given as text; raise ``ValueError`` for an invalid key."""
    suite = suite_of_key(key)
    point = suite.point_of(key)
    return Jwk(suite.curve, encode_base64url(point[:32]), encode_base64url(point[32:]))


@dataclass(frozen=True, slots=True)
class Jws:
    """A parsed signature with its payload; nothing is verified yet. ``sm2_id`` is empty unless the suite is SM2."""

    suite: Suite
    sm2_id: str
    kid: str
    typ: str
    payload: bytes
    signing_input: bytes
    signature: bytes

    def signed_by(self, public_key: str, *, any_s: bool = False) -> bool:
        """Return whether the key (as text) made this signature; False for a key of another suite.

        A high ``s`` is refused unless ``any_s`` is set. Key bindings allow any ``s``, because wallets do not normalise
        ``s``. Raises ``Misconfigured`` ``SUITE_NOT_INSTALLED`` if the suite is not installed here.
        """
        try:
            point = self.suite.point_of(public_key)
        except ValueError:
            return False
        if not any_s and not self.suite.unaltered(self.signature):
            return False
        return self.suite.verify(point, self.signing_input, self.signature, self.sm2_id)


def sign_compact(payload: bytes, signer: Signer, typ: str) -> str:
    """Return a JWS over ``payload`` in compact serialisation."""
    header = canonical({**signer.algorithm, "kid": signer.kid, "typ": typ})
    signing_input = f"{encode_base64url(header)}.{encode_base64url(payload)}"
    return f"{signing_input}.{encode_base64url(signer.sign(signing_input.encode()))}"


def parse_compact(token: str, typ: str, *, needs_kid: bool = True) -> Jws:
    """Return the parts of a JWS with this ``typ``. If ``needs_kid`` is false, the ``kid`` may be missing; then it is
    empty.

    Raises ``BadBundle`` ``JWS_…``.
    """
    parts = token.split(".")
    if len(parts) != 3:
        raise BadBundle("JWS_FORM", "A JWS must have three parts.", where="signature")
    header = _header(parts[0], typ, needs_kid)
    return Jws(
        suite=header.suite,
        sm2_id=header.sm2_id,
        kid=header.kid,
        typ=typ,
        payload=decode_base64url(parts[1], None, limit=MAX_PAYLOAD_BYTES),
        signing_input=f"{parts[0]}.{parts[1]}".encode(),
        signature=decode_base64url(parts[2], 64),
    )


def sign_entry(entry: Mapping[str, Any], signer: Signer) -> dict[str, Any]:
    """Return the entry with ``signature``: a detached JWS (RFC 7515 appendix F) over its canonical JSON."""
    header, _, signature = sign_compact(canonical(dict(entry)), signer, ENTRY_TYP).split(".")
    return {**entry, "signature": f"{header}..{signature}"}


def entry_signature(entry: Mapping[str, Any], unsigned: bytes | None = None) -> Jws:
    """Return the signature of a signed entry; raise ``BadBundle`` ``JWS_…``.

    ``unsigned`` is ``unsigned_body(entry)`` if the caller has computed it already.
    """
    parts = str(entry.get("signature", "")).split(".")
    if len(parts) != 3 or parts[1]:
        raise BadBundle("JWS_FORM", "The second part of a detached JWS must be empty.", where="signature")
    body = unsigned_body(entry) if unsigned is None else unsigned
    header = _header(parts[0], ENTRY_TYP, needs_kid=True)
    if len(body) > MAX_PAYLOAD_BYTES:
        raise BadBundle("JWS_BASE64URL", "The signed entry is too large.", where="signature")
    return Jws(
        suite=header.suite,
        sm2_id=header.sm2_id,
        kid=header.kid,
        typ=ENTRY_TYP,
        payload=body,
        signing_input=f"{parts[0]}.{encode_base64url(body)}".encode(),
        signature=decode_base64url(parts[2], 64),
    )


def entry_signed_by(entry: Mapping[str, Any], account: str, public_key: str) -> bool:
    """Return whether the account with this key signed the entry; False if the entry's signature is unreadable.

    Raises ``Misconfigured`` ``SUITE_NOT_INSTALLED``.
    """
    try:
        signature = entry_signature(entry)
    except BadBundle:
        return False
    return signature.kid == account and signature.signed_by(public_key)


def encode_base64url(data: bytes) -> str:
    """Return unpadded base64url, RFC 7515 §2."""
    return binascii.b2a_base64(data, newline=False).translate(_TO_URL).rstrip(b"=").decode()


def decode_base64url(text: Any, size: int | None = None, *, limit: int = MAX_PAYLOAD_BYTES) -> bytes:
    """Return the bytes in canonical base64url; raise ``BadBundle`` ``JWS_BASE64URL`` for any other text.

    If ``size`` is given, there must be exactly ``size`` bytes; otherwise there may be at most about ``limit`` bytes.
    """
    if not isinstance(text, str) or len(text) > limit * 4 // 3 + 4:
        raise BadBundle("JWS_BASE64URL", "This is not base64url.", where="signature")
    try:
        data = binascii.a2b_base64(text.encode("ascii").translate(_FROM_URL) + b"=" * (-len(text) % 4))
    except (binascii.Error, ValueError) as error:
        raise BadBundle("JWS_BASE64URL", "This is not base64url.", where="signature") from error
    if encode_base64url(data) != text or (size is not None and len(data) != size):
        message = "This is not canonical base64url, or it has the wrong number of bytes."
        raise BadBundle("JWS_BASE64URL", message, where="signature")
    return data


class _Header(NamedTuple):
    suite: Suite
    sm2_id: str
    kid: str


# All signatures of one account have the same header, so headers that were read are kept.
@lru_cache(maxsize=KEPT_KEYS)
def _header(encoded: str, typ: str, needs_kid: bool) -> _Header:
    raw = decode_base64url(encoded, None, limit=MAX_HEADER_BYTES)
    try:
        header = parse_json(raw, max_bytes=MAX_HEADER_BYTES, max_depth=2)
    except InvalidInput as error:
        raise BadBundle("JWS_HEADER", error.message, where="header") from error
    if not isinstance(header, dict):
        raise BadBundle("JWS_HEADER", "A header must be an object.", where="header")
    alg = header.get("alg")
    suite = SUITES.get(alg) if isinstance(alg, str) else None
    wanted = {"alg", "kid", "typ"} | ({"sm2_id"} if suite and suite.takes_id else set())
    if wanted - header.keys() - (set() if needs_kid else {"kid"}) or header.keys() - wanted:
        message = "A header must have exactly the members alg, kid and typ, and for SM2 sm2_id."
        raise BadBundle("JWS_HEADER", message, where="header")
    if suite is None:
        raise BadBundle("JWS_ALGORITHM", f"Only {', '.join(SUITES)} are accepted.", where="header")
    if suite.takes_id and not sm2.is_id(header["sm2_id"]):
        raise BadBundle(
            "JWS_SM2_ID", f"An sm2_id must have 0 to {sm2.MAX_ID} printable ASCII characters.", where="header"
        )
    if header["typ"] != typ:
        raise BadBundle("JWS_TYPE", f"The type must be {typ}.", where="header")
    kid = header.get("kid")
    if "kid" in header and not (isinstance(kid, str) and _KID.fullmatch(kid)):
        raise BadBundle("JWS_KID", "The kid is not an account.", where="header")
    return _Header(suite, header.get("sm2_id", ""), header.get("kid", ""))


def _bad_jwk() -> InvalidInput:
    return InvalidInput(
        "JWK_INVALID",
        "This is not a JWK of a public key on secp256k1, P-256 or SM2.",
        where="jwk",
        hint='Write it like {"kty":"EC","crv":"secp256k1","x":"…","y":"…"}.',
    )
