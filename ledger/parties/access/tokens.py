"""Tokens, keys and codes: 256 random bits, shown only once. The database stores and looks up their digests.

The secret itself is never compared character by character, so the time of an answer reveals nothing about it: the
caller cannot choose the digest that the database compares.
"""

from __future__ import annotations

import hashlib
import secrets

SECRET_BYTES = 32


def fresh(prefix: str) -> str:
    """Return a new secret with a prefix that shows its kind."""
    return prefix + secrets.token_urlsafe(SECRET_BYTES)


def digest(secret: str) -> str:
    """Return the SHA-256 digest of a secret, 64 hex digits."""
    return hashlib.sha256(secret.encode()).hexdigest()
