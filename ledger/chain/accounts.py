"""Accounts and their keys: an account is the last 20 bytes of the hash of a public key.

The hash is keccak for a secp256k1 key, SHA-256 for a P-256 key and SM3 for an SM2 key (protocol §4). Only the first
signs transactions. The account of another key is bound to a party all the same: a P-256 key signs statements, and acts
that somebody else sends; an SM2 key signs statements alone.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection
from typing import Final

from coincurve import PrivateKey
from eth_hash.auto import keccak

from ledger.errors import InvalidInput
from ledger.proof.suites import p256, sm2
from ledger.proof.suites.suite import ES256, ES256K, SM2SM3, SUITES, Suite, suite_of_key

ANY_SUITE: Final = tuple(SUITES.values())
_KEY: Final = re.compile(r"(p256:|sm2:)?0[23][0-9a-f]{64}")


def new_private_key() -> bytes:
    """A fresh secp256k1 private key, 32 bytes."""
    return PrivateKey().secret


def new_p256_key() -> bytes:
    """A fresh P-256 private key, 32 bytes."""
    return (1 + secrets.randbelow(p256.ORDER - 1)).to_bytes(32, "big")


def new_sm2_key() -> bytes:
    """A fresh SM2 private key, 32 bytes."""
    return (1 + secrets.randbelow(sm2.ORDER - 2)).to_bytes(32, "big")


def public_key_of(private_key: bytes) -> str:
    """The compressed public key, 66 hex digits."""
    return PrivateKey(private_key).public_key.format(compressed=True).hex()


def account_of_public_key(public_key: str) -> str:
    """The account (``0x`` and 40 lower-case digits) of a public key as text.

    Raises ``ValueError`` if it is none, ``Misconfigured`` ``SUITE_NOT_INSTALLED`` for an SM2 key where SM3 is missing.
    """
    suite = suite_of_key(public_key)
    point = suite.point_of(public_key)
    if suite is ES256:
        return p256.account_of(point)
    return sm2.account_of(point) if suite is SM2SM3 else "0x" + keccak(point)[-20:].hex()


def account_of(private_key: bytes) -> str:
    """The account of a secp256k1 private key."""
    return account_of_public_key(public_key_of(private_key))


def check_public_key(public_key: str, where: str | None = None, suites: Collection[Suite] = (ES256K,)) -> str:
    """The key if it is a point of its curve and of one of the suites; raises ``InvalidInput`` ``PUBLIC_KEY_INVALID``.

    By default it must be one that can act on the chain: of secp256k1.
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
            hint="Give 66 hex digits beginning with 02 or 03, of P-256 after `p256:`, of SM2 after `sm2:`; "
            "`pingzheng key new` makes a key.",
        ) from None
    return public_key


def is_account_of(account: str, public_key: str) -> bool:
    """Whether this is the account of that public key (text, protocol §4)."""
    try:
        return account_of_public_key(public_key) == account
    except (InvalidInput, ValueError):
        return False
