"""The value classes for requests, authorizations and provisions, each with its present state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

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
    def new(cls, values: Mapping[str, Any]) -> RecordedRequest:
        """Convert the values of a row that was just added."""
        return cls(**{name: values[name] for name in _REQUEST})

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
    def new(cls, values: Mapping[str, Any], valid_to: int, now: int) -> RecordedAuthorization:
        """Convert the values of a row that was just added, with its state at ``now`` (seconds UTC)."""
        known = {name: values[name] for name in _AUTHORIZATION}
        return cls(**known | {"state": authorization_state_at(values["state"], valid_to, now)})

    @classmethod
    def all_of(cls, session: Session, rows: Iterable[Authorization], now: int) -> list[RecordedAuthorization]:
        """Convert table rows, with their states at ``now`` (seconds UTC)."""
        rows = list(rows)
        statements = log_store.statements(session, {row.digest for row in rows})
        found = []
        for row in rows:
            known = {name: getattr(row, name) for name in _AUTHORIZATION}
            valid_to = statements[row.digest]["valid_to"]
            found.append(cls(**known | {"state": authorization_state_at(row.state, valid_to, now)}))
        return found


@dataclass(frozen=True, slots=True)
class RecordedProvision:
    """A provider's answer; ``number`` counts the answers to one authorization from 1. ``reason`` is set only if the
    provider refused.
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
    def new(cls, values: Mapping[str, Any]) -> RecordedProvision:
        """Convert the values of a row that was just added."""
        return cls(**{name: values[name] for name in _PROVISION})

    @classmethod
    def of(cls, row: Provision) -> RecordedProvision:
        """Convert a table row."""
        return cls(**{field.name: getattr(row, field.name) for field in fields(cls)})


_AUTHORIZATION: Final = tuple(field.name for field in fields(RecordedAuthorization))
_PROVISION: Final = tuple(field.name for field in fields(RecordedProvision))
_REQUEST: Final = tuple(field.name for field in fields(RecordedRequest))
