"""Accounts and their keys: an account is the last 20 bytes of the keccak hash of a secp256k1 public key."""

from __future__ import annotations

import re

from coincurve import PrivateKey, PublicKey
from eth_utils.crypto import keccak

from ledger.errors import InvalidInput

_COMPRESSED = re.compile(r"0[23][0-9a-f]{64}")


def new_private_key() -> bytes:
    """A fresh private key, 32 bytes."""
    return PrivateKey().secret


def public_key_of(private_key: bytes) -> str:
    """The compressed public key, 66 hex digits."""
    return PrivateKey(private_key).public_key.format(compressed=True).hex()


def account_of_public_key(public_key: str) -> str:
    """The account (``0x`` and 40 lower-case digits) of a compressed public key."""
    point = PublicKey(bytes.fromhex(public_key)).format(compressed=False)
    return "0x" + keccak(point[1:])[-20:].hex()


def account_of(private_key: bytes) -> str:
    """The account of a private key."""
    return account_of_public_key(public_key_of(private_key))


def check_public_key(public_key: str, where: str | None = None) -> str:
    """The key if it is a point of the curve; raises ``InvalidInput`` ``PUBLIC_KEY_INVALID``."""
    try:
        if not _COMPRESSED.fullmatch(public_key):
            raise ValueError
        PublicKey(bytes.fromhex(public_key))
    except ValueError:
        raise InvalidInput(
            "PUBLIC_KEY_INVALID",
            "This is not a compressed secp256k1 public key.",
            where=where,
            hint="Give 66 hex digits beginning with 02 or 03; `pingzheng key new` makes a key.",
        ) from None
    return public_key
