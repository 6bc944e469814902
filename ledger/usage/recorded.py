"""Requests, authorizations and provisions as the use cases return them, in their present states."""

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
    """A request; ``digest`` is the digest of its entry (hex), times are seconds UTC."""

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
        """Return a row's value, in its state at ``now`` (seconds UTC)."""
        known = {field.name: getattr(row, field.name) for field in fields(cls)}
        return cls(**known | {"state": request_state_at(row, now)})


@dataclass(frozen=True, slots=True)
class RecordedAuthorization:
    """An authorization; ``digest`` is the digest of its entry (hex)."""

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
        """Return the values of these rows, in their states at ``now`` (seconds UTC)."""
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
    """A provider's answer; ``number`` counts those under one authorization from 1. ``reason``: of a refusal."""

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
        """Return a row's value."""
        return cls(**{field.name: getattr(row, field.name) for field in fields(cls)})
