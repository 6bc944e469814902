"""Tokens, keys and codes: each of these secrets is 256 random bits, and is shown only once. The database stores only
digests of these secrets, and looks secrets up by digest.

The database compares digests, and a caller cannot choose a digest. So the time that an answer takes reveals nothing
about the secret.
"""

from __future__ import annotations

import hashlib
import secrets

SECRET_BYTES = 32


def fresh(prefix: str) -> str:
    """Return a new secret with a prefix that shows what kind of secret it is."""
    return prefix + secrets.token_urlsafe(SECRET_BYTES)


def digest(secret: str) -> str:
    """Return the SHA-256 digest of a secret, 64 hex digits."""
    return hashlib.sha256(secret.encode()).hexdigest()
