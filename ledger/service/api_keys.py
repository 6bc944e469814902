"""API keys of parties: random, shown once, kept as digests."""

from __future__ import annotations

import hashlib
import secrets

from sqlalchemy import select
from sqlalchemy.orm import Session
from ulid import ULID

from ledger.errors import Unauthenticated
from ledger.store.tables import ApiKey

API_KEY_PREFIX = "pz_"


def add_key(session: Session, party: str, now: int) -> str:
    """A fresh API key of the party."""
    key = API_KEY_PREFIX + secrets.token_urlsafe(32)
    session.add(ApiKey(id=str(ULID()), party_id=party, key_digest=_digest(key), created_at=now))
    return key


def party_of_key(session: Session, key: str) -> str:
    """Whose API key this is; raises ``Unauthenticated`` ``API_KEY_UNKNOWN``."""
    found = session.scalar(
        select(ApiKey.party_id).where(ApiKey.key_digest == _digest(key), ApiKey.revoked_at.is_(None))
    )
    if found is None:
        raise Unauthenticated(
            "API_KEY_UNKNOWN", "The API key is not known.", hint="Ask the platform's operator for a key."
        )
    return found


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
