"""Certificates as SD-JWT (RFC 9901): salted disclosures, and key binding to a consumer and a nonce."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ledger.domain.canonical import canonical, parse_json
from ledger.errors import BadBundle, InvalidInput
from ledger.proof.jws import (
    MAX_PAYLOAD_BYTES,
    Jws,
    Signer,
    decode_base64url,
    encode_base64url,
    parse_compact,
    sign_compact,
)

CERTIFICATE_TYP: Final = "dc+sd-jwt"
KEY_BINDING_TYP: Final = "kb+jwt"
MAX_DISCLOSURES: Final = 64
MAX_DISCLOSURE_BYTES: Final = 4 * 1024
MAX_CERTIFICATE_CHARACTERS: Final = 192 * 1024
MIN_SALT_CHARACTERS: Final = 22


@dataclass(frozen=True, slots=True)
class Disclosed:
    """A claim with its salt (base64url of 128 random bits); ``encoded`` is what travels."""

    salt: str
    name: str
    value: Any

    @property
    def encoded(self) -> str:
        """base64url of the JSON array, RFC 9901 §4.2.1."""
        return encode_base64url(canonical([self.salt, self.name, self.value]))

    @property
    def digest(self) -> str:
        """What stands in ``_sd``, RFC 9901 §4.2.3."""
        return disclosure_digest(self.encoded)

    @classmethod
    def decode(cls, encoded: str) -> Disclosed:
        """Raises ``BadBundle`` ``DISCLOSURE_…``."""
        raw = decode_base64url(encoded, None, limit=MAX_DISCLOSURE_BYTES)
        try:
            value = parse_json(raw, max_bytes=MAX_DISCLOSURE_BYTES, max_depth=4)
        except InvalidInput as error:
            raise BadBundle("DISCLOSURE_FORM", error.message, where="disclosure") from error
        if not isinstance(value, list) or len(value) != 3 or not all(isinstance(item, str) for item in value[:2]):
            raise BadBundle("DISCLOSURE_FORM", "A disclosure is [salt, name, value].", where="disclosure")
        if len(value[0]) < MIN_SALT_CHARACTERS:
            raise BadBundle("DISCLOSURE_SALT", "The salt is too short to hide anything.", where="disclosure")
        if canonical(value) != raw:
            raise BadBundle("DISCLOSURE_FORM", "A disclosure is canonical JSON.", where="disclosure")
        return cls(*value)


@dataclass(frozen=True, slots=True)
class Presented:
    """The parts of a certificate as it travels; nothing is verified yet."""

    issued: Jws
    claims: dict[str, Any]
    disclosures: tuple[Disclosed, ...]
    key_binding: Jws | None
    binding_claims: dict[str, Any]
    sd_hash: str


def disclosure_digest(encoded: str) -> str:
    """SHA-256 over the encoded disclosure, base64url."""
    return encode_base64url(hashlib.sha256(encoded.encode()).digest())


def disclose(payload: Mapping[str, Any], hidden: Sequence[Disclosed]) -> dict[str, Any]:
    """The payload with the digests of ``hidden``, sorted so that their order tells nothing."""
    return {**payload, "_sd_alg": "sha-256", "_sd": sorted(item.digest for item in hidden)}


def compose(token: str, chosen: Sequence[Disclosed]) -> str:
    """Issuer JWT and chosen disclosures, each followed by ``~``."""
    return "".join(f"{part}~" for part in (token, *(item.encoded for item in chosen)))


def bind_key(certificate: str, holder: Signer, *, audience: str, nonce: str, at: int) -> str:
    """The certificate with a key-binding JWT (RFC 9901 §4.3) for one consumer and nonce; ``at`` in seconds UTC."""
    body = {"aud": audience, "iat": at, "nonce": nonce, "sd_hash": _sd_hash(certificate)}
    return certificate + sign_compact(canonical(body), holder, KEY_BINDING_TYP)


def parse_certificate(certificate: str) -> Presented:
    """The parts; raises ``BadBundle``."""
    if len(certificate) > MAX_CERTIFICATE_CHARACTERS:
        raise BadBundle("CERTIFICATE_TOO_LARGE", "The certificate is too large.", where="certificate")
    token, *disclosures, binding = certificate.split("~") if "~" in certificate else [certificate, "?"]
    if binding == "?" or len(disclosures) > MAX_DISCLOSURES:
        raise BadBundle("CERTIFICATE_FORM", "This is not an SD-JWT.", where="certificate")
    issued = parse_compact(token, CERTIFICATE_TYP)
    claims = _json_object(issued.payload)
    if canonical(claims) != issued.payload:
        raise BadBundle("CERTIFICATE_FORM", "The payload is not canonical JSON.", where="certificate")
    key_binding = parse_compact(binding, KEY_BINDING_TYP) if binding else None
    return Presented(
        issued=issued,
        claims=claims,
        disclosures=tuple(Disclosed.decode(item) for item in disclosures),
        key_binding=key_binding,
        binding_claims=_json_object(key_binding.payload) if key_binding else {},
        sd_hash=_sd_hash(certificate[: len(certificate) - len(binding)]),
    )


def _json_object(raw: bytes) -> dict[str, Any]:
    try:
        value = parse_json(raw, max_bytes=MAX_PAYLOAD_BYTES)
    except InvalidInput as error:
        raise BadBundle(error.code, error.message, where="certificate") from error
    if not isinstance(value, dict):
        raise BadBundle("CERTIFICATE_FORM", "A payload is an object.", where="certificate")
    return value


def _sd_hash(certificate: str) -> str:
    return encode_base64url(hashlib.sha256(certificate.encode()).digest())
