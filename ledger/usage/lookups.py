"""Requests, consents and provisions by id, or the error that says there is none."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.certificates.tables import Certificate
from ledger.errors import NotFound
from ledger.usage.tables import AccessRequest, Authorization, Provision


def access_request(session: Session, identifier: str) -> AccessRequest:
    """The request; raises ``NotFound`` ``REQUEST_UNKNOWN``."""
    row = session.get(AccessRequest, identifier)
    if row is None:
        raise NotFound("REQUEST_UNKNOWN", "No such request.", hint="Check the id; it is a ULID.")
    return row


def authorizations_of(session: Session, request: str) -> list[Authorization]:
    """The authorizations given to a request, by source."""
    query = select(Authorization).where(Authorization.request_id == request).order_by(Authorization.source)
    return list(session.scalars(query))


def certificates_of(session: Session, request: str) -> list[Certificate]:
    """The certificate issued for a request, and its corrections, in order."""
    query = select(Certificate).where(Certificate.request_id == request).order_by(Certificate.version)
    return list(session.scalars(query))


def provisions_of(session: Session, authorization_id: str) -> list[Provision]:
    """A provider's answers under an authorization, in order."""
    query = select(Provision).where(Provision.authorization_id == authorization_id).order_by(Provision.number)
    return list(session.scalars(query))


def authorization(session: Session, identifier: str) -> Authorization:
    """The authorization; raises ``NotFound`` ``AUTHORIZATION_UNKNOWN``."""
    row = session.get(Authorization, identifier)
    if row is None:
        raise NotFound("AUTHORIZATION_UNKNOWN", "No such authorization.", hint="Check the id; it is a ULID.")
    return row
