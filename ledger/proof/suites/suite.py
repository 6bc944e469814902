# SPDX-License-Identifier: Apache-2.0
"""Signature suites: a table maps the algorithm name in a header to functions. No other algorithm is accepted.

A public key as text is a compressed point in 66 hex digits. A prefix names the curve: ``p256:`` for P-256, ``sm2:`` for
SM2, and no prefix for secp256k1.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from coincurve import PublicKey
from coincurve.ecdsa import cdata_to_der, deserialize_compact

from ledger.domain.digests import SHA_256, SM3
from ledger.proof.suites import KEPT_KEYS, p256, sm2

_COMPRESSED: Final = re.compile(r"0[23][0-9a-f]{64}")
_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


@dataclass(frozen=True, slots=True)
class Suite:
    """A signature algorithm: its JWS name, the JWK name of its curve, and its hash algorithm.

    A key as text begins with ``prefix``; ``takes_id`` says whether a header has ``sm2_id``. ``compress`` and ``expand``
    turn a point, ``x ‖ y``, into hex digits and back, and raise ``ValueError``. ``verify`` takes a point on the curve,
    the data, ``r ‖ s`` (64 bytes) and the ``sm2_id``. ``highest_s`` is the largest allowed ``s`` of an entry or a
    certificate. ``require`` raises ``Misconfigured`` ``SUITE_NOT_INSTALLED`` if signatures cannot be verified here.
    """

    alg: str
    curve: str
    digest: str
    prefix: str
    takes_id: bool
    highest_s: int
    compress: Callable[[bytes], str]
    expand: Callable[[str], bytes]
    verify: Callable[[bytes, bytes, bytes, str], bool]
    require: Callable[[], None]

    def key_of(self, point: bytes) -> str:
        """Return the key as text; raise ``ValueError`` unless the point is on the curve."""
        return self.prefix + self.compress(point)

    def point_of(self, key: str) -> bytes:
        """Return ``x ‖ y`` of a key as text; raise ``ValueError`` unless the key is of this suite."""
        if suite_of_key(key) is not self:
            raise ValueError("a key of another suite")
        return _point(key)

    def unaltered(self, signature: bytes) -> bool:
        """Return whether ``s`` is low. A high ``s`` shows that somebody may have altered a valid signature."""
        return int.from_bytes(signature[32:], "big") <= self.highest_s


def suite_of_key(key: str) -> Suite:
    """Return the suite that the prefix of ``key`` names. The rest of ``key`` is not checked."""
    for suite in (ES256, SM2SM3):
        if key.startswith(suite.prefix):
            return suite
    return ES256K


@lru_cache(maxsize=KEPT_KEYS)
def _point(key: str) -> bytes:
    suite = suite_of_key(key)
    return suite.expand(key.removeprefix(suite.prefix))


@lru_cache(maxsize=KEPT_KEYS)
def _public_key(point: bytes) -> PublicKey:
    return PublicKey(b"\x04" + point)


def _compress(point: bytes) -> str:
    return PublicKey(b"\x04" + point).format(compressed=True).hex()


def _expand(compressed: str) -> bytes:
    if not _COMPRESSED.fullmatch(compressed):
        raise ValueError("not a compressed point")
    return PublicKey(bytes.fromhex(compressed)).format(compressed=False)[1:]


def _verify(point: bytes, data: bytes, signature: bytes, _identity: str) -> bool:
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if max(r, s) >= _ORDER:
        return False
    # libsecp256k1 accepts only a low s, and refuses an r or s of zero.
    low = signature[:32] + min(s, _ORDER - s).to_bytes(32, "big")
    return bool(_public_key(point).verify(cdata_to_der(deserialize_compact(low)), data))


ES256K: Final = Suite(
    alg="ES256K",
    curve="secp256k1",
    digest=SHA_256,
    prefix="",
    takes_id=False,
    highest_s=_ORDER // 2,
    compress=_compress,
    expand=_expand,
    verify=_verify,
    require=lambda: None,
)
"""RFC 8812: ECDSA over secp256k1 with SHA-256."""
ES256: Final = Suite(
    alg="ES256",
    curve="P-256",
    digest=SHA_256,
    prefix="p256:",
    takes_id=False,
    highest_s=p256.ORDER // 2,
    compress=p256.compress,
    expand=p256.expand,
    verify=lambda point, data, signature, _: p256.verify(point, data, signature),
    require=lambda: None,
)
"""RFC 7518 §3.4: ECDSA over P-256 with SHA-256; wallets, browsers, phones and HSMs use it."""
SM2SM3: Final = Suite(
    alg="SM2SM3",
    curve="SM2",
    digest=SM3,
    prefix="sm2:",
    takes_id=True,
    highest_s=sm2.ORDER - 1,
    compress=sm2.compress,
    expand=sm2.expand,
    verify=sm2.verify,
    require=sm2.require,
)
"""GB/T 32918.2: SM2 with SM3. We defined the names ``SM2SM3`` and ``SM2``; the JOSE registries have none."""

SUITES: Final[Mapping[str, Suite]] = {suite.alg: suite for suite in (ES256K, ES256, SM2SM3)}
CURVES: Final[Mapping[str, Suite]] = {suite.curve: suite for suite in SUITES.values()}
