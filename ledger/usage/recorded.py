"""The value classes for requests, authorizations and provisions, each with its present state."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, fields

from sqlalchemy.orm import Session

from ledger.store import log as log_store
from ledger.usage.expiry import authorization_state_at, request_state_at
from ledger.usage.tables import AccessRequest, Authorization, Provision


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """A recorded request; ``digest`` is the digest of the request's log entry (hex). Times are in seconds UTC."""

    id: str
    digest: str
    scenario: str
    subject: str
    consumer: str
    state: str
    expires_at: int
    created_at: int

    @classmethod
    def of(cls, row: AccessRequest, now: int) -> RecordedRequest:
        """Convert a table row, with its state at ``now`` (seconds UTC)."""
        known = {field.name: getattr(row, field.name) for field in fields(cls)}
        return cls(**known | {"state": request_state_at(row, now)})


@dataclass(frozen=True, slots=True)
class RecordedAuthorization:
    """A recorded authorization; ``digest`` is the digest of the authorization's log entry (hex)."""

    id: str
    digest: str
    request_id: str
    scenario: str
    subject: str
    consumer: str
    source: str
    provider: str
    state: str
    created_at: int

    @classmethod
    def all_of(cls, session: Session, rows: Iterable[Authorization], now: int) -> list[RecordedAuthorization]:
        """Convert table rows, with their states at ``now`` (seconds UTC)."""
        rows = list(rows)
        entries = log_store.entries_by_digest(session, {row.digest for row in rows})
        found = []
        for row in rows:
            known = {field.name: getattr(row, field.name) for field in fields(cls)}
            valid_to = json.loads(entries[row.digest].body)["valid_to"]
            found.append(cls(**known | {"state": authorization_state_at(row, valid_to, now)}))
        return found


@dataclass(frozen=True, slots=True)
class RecordedProvision:
    """A provider's answer; ``number`` counts the answers to one authorization from 1. ``reason`` is set for a
    refusal.
    """

    id: str
    authorization_id: str
    number: int
    provider: str
    digest: str
    result: str
    reason: str | None
    created_at: int

    @classmethod
    def of(cls, row: Provision) -> RecordedProvision:
        """Convert a table row."""
        return cls(**{field.name: getattr(row, field.name) for field in fields(cls)})
