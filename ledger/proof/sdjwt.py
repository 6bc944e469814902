# SPDX-License-Identifier: Apache-2.0
"""Makes and reads certificates as SD-JWT (RFC 9901), with salted disclosures and a signature for a consumer's nonce."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ledger.domain.canonical import canonical, parse_json
from ledger.domain.digests import HASHES, SHA_256
from ledger.domain.entries import holds_sd_name
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
SALT_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Disclosed:
    """A disclosed claim with its salt (base64url of 128 random bits)."""

    salt: str
    name: str
    value: Any

    @property
    def encoded(self) -> str:
        """The disclosure as it is sent: base64url of the JSON array, RFC 9901 §4.2.1."""
        return encode_base64url(canonical([self.salt, self.name, self.value]))

    @classmethod
    def decode(cls, encoded: str) -> Disclosed:
        """Return the claim in an encoded disclosure; raise ``BadBundle`` ``DISCLOSURE_…`` or ``SD_NAME_NESTED``."""
        raw = decode_base64url(encoded, None, limit=MAX_DISCLOSURE_BYTES)
        try:
            value = parse_json(raw, max_bytes=MAX_DISCLOSURE_BYTES, max_depth=4)
        except InvalidInput as error:
            raise BadBundle("DISCLOSURE_FORM", error.message, where="disclosure") from error
        if not isinstance(value, list) or len(value) != 3 or not all(isinstance(item, str) for item in value[:2]):
            raise BadBundle("DISCLOSURE_FORM", "A disclosure must be [salt, name, value].", where="disclosure")
        _require_salt(value[0])
        if canonical(value) != raw:
            raise BadBundle("DISCLOSURE_FORM", "A disclosure must be canonical JSON.", where="disclosure")
        if holds_sd_name(value[2]):
            message = "A disclosed value contains a name that SD-JWT libraries use to hide claims."
            raise BadBundle("SD_NAME_NESTED", message, where="disclosure")
        return cls(*value)


@dataclass(frozen=True, slots=True)
class Presented:
    """The parts of a certificate, its disclosures and its key-binding JWT; nothing is verified yet."""

    issued: Jws
    claims: dict[str, Any]
    disclosures: tuple[Disclosed, ...]
    key_binding: Jws | None
    binding_claims: dict[str, Any]
    bound: str

    @property
    def algorithm(self) -> str:
        """The hash algorithm of the disclosures and of ``sd_hash``."""
        return _algorithm_of(self.claims)

    @property
    def sd_hash(self) -> str:
        """The digest of certificate and disclosures that the key-binding JWT must contain.

        Raises ``Misconfigured`` ``SUITE_NOT_INSTALLED`` if the certificate's hash algorithm is not installed.
        """
        return disclosure_digest(self.bound, self.algorithm)


def disclosure_digest(encoded: str, algorithm: str = SHA_256) -> str:
    """Return the digest of an encoded disclosure, as ``_sd`` contains it (RFC 9901 §4.2.3)."""
    return encode_base64url(HASHES[algorithm](encoded.encode()))


def disclose(payload: Mapping[str, Any], hidden: Sequence[Disclosed], algorithm: str = SHA_256) -> dict[str, Any]:
    """Return the payload with the digests of the claims ``hidden``, sorted so that the order reveals nothing."""
    digests = sorted(disclosure_digest(item.encoded, algorithm) for item in hidden)
    return {**payload, "_sd_alg": algorithm, "_sd": digests}


def compose(token: str, chosen: Sequence[Disclosed]) -> str:
    """Return one text: the issuer's JWT and the chosen disclosures, each followed by ``~``."""
    return "".join(f"{part}~" for part in (token, *(item.encoded for item in chosen)))


def bind_key(certificate: str, holder: Signer, *, audience: str, nonce: str, at: int) -> str:
    """Return the certificate with a key-binding JWT (RFC 9901 §4.3) for one consumer and nonce; ``at`` is seconds UTC.

    Raises ``Misconfigured`` ``SUITE_NOT_INSTALLED``.
    """
    sd_hash = disclosure_digest(certificate, _algorithm_in(certificate))
    body = {"aud": audience, "iat": at, "nonce": nonce, "sd_hash": sd_hash}
    return certificate + sign_compact(canonical(body), holder, KEY_BINDING_TYP)


def parse_certificate(certificate: str) -> Presented:
    """Return the parts of a certificate; raise ``BadBundle`` if its form is wrong."""
    if len(certificate) > MAX_CERTIFICATE_CHARACTERS:
        raise BadBundle("CERTIFICATE_TOO_LARGE", "The certificate is too large.", where="certificate")
    if not 1 <= certificate.count("~") <= MAX_DISCLOSURES + 1:
        raise BadBundle("CERTIFICATE_FORM", "This is not an SD-JWT.", where="certificate")
    token, *disclosures, binding = certificate.split("~")
    issued = parse_compact(token, CERTIFICATE_TYP)
    claims = _json_object(issued.payload)
    if canonical(claims) != issued.payload:
        raise BadBundle("CERTIFICATE_FORM", "The payload is not canonical JSON.", where="certificate")
    # The ``kid`` may be missing: other wallets do not send it in the key-binding JWT, and the certificate names the
    # key.
    key_binding = parse_compact(binding, KEY_BINDING_TYP, needs_kid=False) if binding else None
    return Presented(
        issued=issued,
        claims=claims,
        disclosures=tuple(Disclosed.decode(item) for item in disclosures),
        key_binding=key_binding,
        binding_claims=_json_object(key_binding.payload) if key_binding else {},
        bound=certificate[: len(certificate) - len(binding)],
    )


def _require_salt(salt: str) -> None:
    try:
        decode_base64url(salt, SALT_BYTES)
    except BadBundle as error:
        message = f"A salt must be {SALT_BYTES} bytes in base64url."
        raise BadBundle("DISCLOSURE_SALT", message, where="disclosure") from error


def _json_object(raw: bytes) -> dict[str, Any]:
    try:
        value = parse_json(raw, max_bytes=MAX_PAYLOAD_BYTES)
    except InvalidInput as error:
        raise BadBundle(error.code, error.message, where="certificate") from error
    if not isinstance(value, dict):
        raise BadBundle("CERTIFICATE_FORM", "A payload must be an object.", where="certificate")
    return value


def _algorithm_of(claims: Mapping[str, Any]) -> str:
    """Return the algorithm in ``_sd_alg``, by default SHA-256 (RFC 9901 §4.1.1).

    For an unknown algorithm, SHA-256 is returned, and the verifier refuses the certificate later.
    """
    named = claims.get("_sd_alg")
    return named if isinstance(named, str) and named in HASHES else SHA_256


def _algorithm_in(certificate: str) -> str:
    """Return the hash algorithm of an unverified certificate, or SHA-256 if the certificate is unreadable."""
    try:
        return _algorithm_of(_json_object(decode_base64url("".join(certificate.split("~")[0].split(".")[1:2]))))
    except BadBundle:
        return SHA_256
