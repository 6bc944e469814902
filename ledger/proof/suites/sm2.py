# SPDX-License-Identifier: Apache-2.0
"""SM2 signatures with SM3 (GB/T 32918.2-2016, curve of GB/T 32918.5-2017); not a certified cryptographic module.

Keys can be read without any other package. Signing and verifying need the optional package gmalg, which is imported at
the first use.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Final

from ledger.domain.digests import HASHES, SM3, sm_not_installed
from ledger.errors import InvalidInput

DEFAULT_ID: Final = "1234567812345678"
"""The default identity of GM/T 0009-2012. In GM/T 0009-2023 the default identity is empty."""
MAX_ID: Final = 64
ORDER: Final = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123

_P: Final = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
_A: Final = _P - 3
_B: Final = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
_G: Final = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)
_ID: Final = re.compile(r"[ -~]{0,64}")
_COMPRESSED: Final = re.compile(r"0[23][0-9a-f]{64}")


def require() -> None:
    """Raise ``Misconfigured`` ``SUITE_NOT_INSTALLED`` if no SM2 signature can be verified here."""
    _curve()


def is_id(value: object) -> bool:
    """Return whether the value is a valid ``sm2_id``: 0 to 64 printable ASCII characters."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def compress(point: bytes) -> str:
    """Return the point ``x ‖ y`` as 66 hex digits; raise ``ValueError`` unless it is on the curve."""
    x, y = _coordinates(point)
    if x >= _P or y >= _P or (y * y - _right_side(x)) % _P:
        raise ValueError("not a point of the SM2 curve")
    return f"{2 + y % 2:02x}{x:064x}"


def expand(compressed: str) -> bytes:
    """Return ``x ‖ y`` of a compressed point; raise ``ValueError`` unless it is on the curve."""
    if not _COMPRESSED.fullmatch(compressed):
        raise ValueError("not a compressed point")
    x = int(compressed[2:], 16)
    square = _right_side(x)
    y = pow(square, (_P + 1) // 4, _P)
    if x >= _P or y * y % _P != square:
        raise ValueError("not a point of the SM2 curve")
    if y % 2 != int(compressed[1]) % 2:
        y = _P - y
    return _bytes(x, y)


def account_of(point: bytes) -> str:
    """Return the account of a key, as chains with SM2 define it: ``0x`` and the last 20 bytes of SM3(``x ‖ y``)."""
    return "0x" + HASHES[SM3](point)[-20:].hex()


def public_point(private_key: bytes) -> bytes:
    """Return ``x ‖ y`` for a private key; raise ``InvalidInput`` ``PRIVATE_KEY_INVALID`` unless it is 1 to n−2."""
    return _bytes(*_curve().kG(_scalar(private_key)))


def sign(private_key: bytes, point: bytes, data: bytes, identity: str) -> bytes:
    """Return ``r ‖ s`` over ``data``, each time with a new random number; not constant-time."""
    return _bytes(*_algorithm().sign(data, _scalar(private_key), identity.encode("ascii"), _coordinates(point)))


def verify(point: bytes, data: bytes, signature: bytes, identity: str) -> bool:
    """Return whether the key made the signature (``r ‖ s``) over ``data`` with this identity.

    ``point`` must be on the curve. Raises ``Misconfigured`` ``SUITE_NOT_INSTALLED``.
    """
    r, s = _coordinates(signature)
    # gmalg itself refuses a signature unless 0 < r, s < n and r + s ≠ n.
    return bool(_algorithm().verify(data, r, s, identity.encode("ascii"), _coordinates(point)))


class _Hash:
    """SM3 with the interface that gmalg needs. It uses OpenSSL's SM3 if possible, which is much faster than the SM3 of
    gmalg.
    """

    def reset(self) -> None:
        self._data = b""

    def update(self, data: bytes) -> None:
        self._data += data

    def value(self) -> bytes:
        return HASHES[SM3](self._data)


@cache
def _curve() -> Any:
    try:
        from gmalg.ellipticcurve import ECDLP
    except ImportError as error:
        raise sm_not_installed("SM2") from error
    curve = ECDLP(_P, _A, _B, _G, ORDER)
    # The multiplication of gmalg takes seven times as long, because gmalg divides at each step. So ``_multiply``
    # replaces it.
    curve.ec.mul = _multiply
    return curve


def _multiply(number: int, point: tuple[int, int]) -> Any:
    """Return ``number`` times a point of the curve, as gmalg's ``EllipticCurve.mul`` does; ``number`` is 1 or more.

    The coordinates are Jacobian (x / z², y / z³), so that only the last step divides. The bits of 3 · number and of
    number say where to add and where to subtract the point; on average, every third bit needs an addition or a
    subtraction.
    """
    x, y = point
    px, py, pz, tripled = x, y, 1, 3 * number
    for bit in range(tripled.bit_length() - 2, 0, -1):
        px, py, pz = _double(px, py, pz)
        step = (tripled >> bit & 1) - (number >> bit & 1)
        if step:
            px, py, pz = _add(px, py, pz, x, step * y)
    if pz == 0:
        return _curve().ec.INF
    inverse = pow(pz, -1, _P)
    square = inverse * inverse % _P
    return px * square % _P, py * square * inverse % _P


def _double(x: int, y: int, z: int) -> tuple[int, int, int]:
    # The slope is 3x² + a·z⁴. The curve's coefficient a is -3.
    z_2, y_2 = z * z % _P, y * y % _P
    slope, scaled = 3 * (x - z_2) * (x + z_2) % _P, 4 * x * y_2 % _P
    doubled = (slope * slope - 2 * scaled) % _P
    return doubled, (slope * (scaled - doubled) - 8 * y_2 * y_2) % _P, 2 * y * z % _P


def _add(x: int, y: int, z: int, other_x: int, other_y: int) -> tuple[int, int, int]:
    if z == 0:
        return other_x, other_y % _P, 1
    z_2 = z * z % _P
    run, rise = (other_x * z_2 - x) % _P, (other_y * z_2 * z - y) % _P
    if run == 0:
        return _double(x, y, z) if rise == 0 else (1, 1, 0)
    run_2 = run * run % _P
    run_3, scaled = run * run_2 % _P, x * run_2 % _P
    added = (rise * rise - run_3 - 2 * scaled) % _P
    return added, (rise * (scaled - added) - y * run_3) % _P, run * z % _P


def _algorithm() -> Any:
    """Return a new ``SM2Core``, because a used one keeps state. gmalg's ``SM2`` would refuse an empty identity."""
    curve = _curve()
    from gmalg.sm2 import SM2Core

    return SM2Core(curve, _Hash())


def _scalar(private_key: bytes) -> int:
    scalar = int.from_bytes(private_key, "big")
    if not 0 < scalar < ORDER - 1:
        raise InvalidInput("PRIVATE_KEY_INVALID", "This is not a private key of SM2.", hint="Make a new key.")
    return scalar


def _right_side(x: int) -> int:
    return (pow(x, 3, _P) + _A * x + _B) % _P


def _coordinates(pair: bytes) -> tuple[int, int]:
    return int.from_bytes(pair[:32], "big"), int.from_bytes(pair[32:], "big")


def _bytes(first: int, second: int) -> bytes:
    return first.to_bytes(32, "big") + second.to_bytes(32, "big")
