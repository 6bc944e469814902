# SPDX-License-Identifier: Apache-2.0
"""ECDSA over P-256 with SHA-256 (ES256, RFC 7518 §3.4), by OpenSSL. Points are ``x ‖ y``, signatures ``r ‖ s``."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ledger.errors import InvalidInput
from ledger.proof.suites import KEPT_KEYS

ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_P: Final = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
_COMPRESSED: Final = re.compile(r"0[23][0-9a-f]{64}")
_ES256: Final = ec.ECDSA(hashes.SHA256())


def compress(point: bytes) -> str:
    """Return the point ``x ‖ y`` as 66 hex digits; raise ``ValueError`` unless it is on the curve."""
    x, y = int.from_bytes(point[:32], "big"), int.from_bytes(point[32:], "big")
    if x >= _P or y >= _P:
        raise ValueError("not a point of P-256")
    key = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    return key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint).hex()


def expand(compressed: str) -> bytes:
    """Return ``x ‖ y`` of a compressed point; raise ``ValueError`` unless it is on the curve."""
    if not _COMPRESSED.fullmatch(compressed):
        raise ValueError("not a compressed point")
    # OpenSSL refuses an x that is outside the field, or for which the curve has no point.
    return _point(ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), bytes.fromhex(compressed)))


def account_of(point: bytes) -> str:
    """Return the account of a key: ``0x`` and the last 20 bytes of SHA-256(``"ES256" ‖ x ‖ y``)."""
    return "0x" + hashlib.sha256(b"ES256" + point).digest()[-20:].hex()


def verify(point: bytes, data: bytes, signature: bytes) -> bool:
    """Return whether the key made the signature (``r ‖ s``, low or high ``s``) over ``data``.

    ``point`` must be on the curve.
    """
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    try:
        _public_key(point).verify(utils.encode_dss_signature(r, s), data, _ES256)
    except InvalidSignature:
        return False
    return True


class PrivateKey:
    """A P-256 key in memory; raises ``InvalidInput`` ``PRIVATE_KEY_INVALID`` unless it is a number from 1 to n−1 in 32
    bytes."""

    def __init__(self, secret: bytes) -> None:
        scalar = int.from_bytes(secret, "big")
        if len(secret) != 32 or not 0 < scalar < ORDER:
            raise InvalidInput("PRIVATE_KEY_INVALID", "This is not a private key of P-256.", hint="Make a new key.")
        self._key = ec.derive_private_key(scalar, ec.SECP256R1())

    @property
    def point(self) -> bytes:
        """``x ‖ y`` of the public key."""
        return _point(self._key.public_key())

    def sign(self, data: bytes) -> bytes:
        """Return ``r ‖ s`` over ``data``; deterministic (RFC 6979), with a low ``s``."""
        algorithm = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
        r, s = utils.decode_dss_signature(self._key.sign(data, algorithm))
        return r.to_bytes(32, "big") + min(s, ORDER - s).to_bytes(32, "big")


@lru_cache(maxsize=KEPT_KEYS)
def _public_key(point: bytes) -> ec.EllipticCurvePublicKey:
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + point)


def _point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)[1:]
