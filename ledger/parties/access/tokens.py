"""Tokens, keys and codes: 256 random bits, shown once; what is kept is a digest, by which they are found again.

A digest is looked up by the database and never compared letter by letter with what was sent: who times the answer
learns something of a digest that it cannot choose, and nothing of the secret.
"""

from __future__ import annotations

import hashlib
import secrets

SECRET_BYTES = 32


def fresh(prefix: str) -> str:
    """A new secret after a prefix that says what it is for."""
    return prefix + secrets.token_urlsafe(SECRET_BYTES)


def digest(secret: str) -> str:
    """What is kept of a secret, 64 hex digits."""
    return hashlib.sha256(secret.encode()).hexdigest()
