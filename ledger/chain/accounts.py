"""Makes keys and computes their accounts. An account is the last 20 bytes of the hash of a public key.

The hash is keccak for a secp256k1 key, SHA-256 for a P-256 key and SM3 for an SM2 key (protocol §4). Accounts of keys
of all three kinds can be bound to parties, but only a secp256k1 key can sign transactions. A P-256 key can sign
statements and acts, but the account of a secp256k1 key must send the acts to the chain. An SM2 key can sign only
statements.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection
from functools import lru_cache
from typing import Final

from coincurve import PrivateKey
from eth_hash.auto import keccak

from ledger.errors import InvalidInput
from ledger.proof.suites import p256, sm2
from ledger.proof.suites.suite import ES256, ES256K, SM2SM3, SUITES, Suite, suite_of_key

ANY_SUITE: Final = tuple(SUITES.values())
_KEY: Final = re.compile(r"(p256:|sm2:)?0[23][0-9a-f]{64}")


def new_private_key() -> bytes:
    """Return a new secp256k1 private key, 32 bytes."""
    return PrivateKey().secret


def new_p256_key() -> bytes:
    """Return a new P-256 private key, 32 bytes."""
    return (1 + secrets.randbelow(p256.ORDER - 1)).to_bytes(32, "big")


def new_sm2_key() -> bytes:
    """Return a new SM2 private key, 32 bytes."""
    return (1 + secrets.randbelow(sm2.ORDER - 2)).to_bytes(32, "big")


def public_key_of(private_key: bytes) -> str:
    """Return the compressed public key of a secp256k1 private key, 66 hex digits."""
    return PrivateKey(private_key).public_key.format(compressed=True).hex()


@lru_cache(maxsize=4096)
def account_of_public_key(public_key: str) -> str:
    """Return the account (``0x`` and 40 lower-case digits) of a public key, which is given as text.

    Raises ``ValueError`` if the text is not a public key, and ``Misconfigured`` ``SUITE_NOT_INSTALLED`` if the key is
    an SM2 key and SM3 is not installed.
    """
    suite = suite_of_key(public_key)
    point = suite.point_of(public_key)
    if suite is ES256:
        return p256.account_of(point)
    return sm2.account_of(point) if suite is SM2SM3 else "0x" + keccak(point)[-20:].hex()


def account_of(private_key: bytes) -> str:
    """Return the account of a secp256k1 private key."""
    return account_of_public_key(public_key_of(private_key))


def check_public_key(public_key: str, where: str | None = None, suites: Collection[Suite] = (ES256K,)) -> str:
    """Return the public key if it is a valid key of one of the suites; otherwise raise ``InvalidInput``
    ``PUBLIC_KEY_INVALID``.

    By default only secp256k1 keys are accepted, because only they can send transactions.
    """
    suite = suite_of_key(public_key)
    try:
        if not _KEY.fullmatch(public_key) or suite not in suites:
            raise ValueError
        suite.point_of(public_key)
    except ValueError:
        raise InvalidInput(
            "PUBLIC_KEY_INVALID",
            f"This is not a compressed public key of {' or '.join(each.curve for each in suites)}.",
            where=where,
            hint="Give 66 hex digits that begin with 02 or 03; write `p256:` before a P-256 key and `sm2:` before an "
            "SM2 key. `pingzheng key new` makes a key.",
        ) from None
    return public_key


def is_account_of(account: str, public_key: str) -> bool:
    """Return whether the account belongs to the public key (as text, protocol §4)."""
    try:
        return account_of_public_key(public_key) == account
    except (InvalidInput, ValueError):
        return False
