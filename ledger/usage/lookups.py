"""Find requests, authorizations, certificates and provisions by id; an unknown id raises ``NotFound``."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.certificates.tables import Certificate
from ledger.errors import NotFound
from ledger.store.row_damage import record_damaged
from ledger.store.sets import matching
from ledger.usage.tables import AccessRequest, Authorization, Provision


def access_request(session: Session, identifier: str) -> AccessRequest:
    """Return the request. Raises ``NotFound`` ``REQUEST_UNKNOWN``."""
    row = session.get(AccessRequest, identifier)
    if row is None:
        raise unknown_request()
    return row


def unknown_request() -> NotFound:
    """Return the error for an id that no request in this database has."""
    return NotFound(
        "REQUEST_UNKNOWN", "There is no request with this id.", hint="Check the id, a ULID of 26 characters."
    )


def authorizations_of(session: Session, request: str) -> list[Authorization]:
    """Return the authorizations given for a request, ordered by source."""
    query = select(Authorization).where(Authorization.request_id == request).order_by(Authorization.source)
    return list(session.scalars(query))


def certificates_of(session: Session, request: str) -> list[Certificate]:
    """Return the certificate issued for a request and its corrected versions, oldest first."""
    query = select(Certificate).where(Certificate.request_id == request).order_by(Certificate.version)
    return list(session.scalars(query))


def provisions_of(session: Session, authorization_id: str) -> list[Provision]:
    """Return a provider's answers to an authorization, oldest first."""
    query = select(Provision).where(Provision.authorization_id == authorization_id).order_by(Provision.number)
    return list(session.scalars(query))


def texts_of(session: Session, provisions: Sequence[str]) -> list[str]:
    """Return the ids of the sealed disclosures of supplied provisions (statement digests in hex), in the same order.

    Raises ``Incoherent`` ``RECORD_DAMAGED`` if a provision has no row or no disclosures.
    """
    query = select(Provision.digest, Provision.sealed_id).where(Provision.sealed_id.is_not(None))
    found = {row.digest: row.sealed_id for row in matching(session, query, Provision.digest, provisions)}
    for digest in provisions:
        if digest not in found:
            raise record_damaged("provision", digest, ["digest", "sealed_id"]).refusal()
    return [found[digest] for digest in provisions]


def authorization(session: Session, identifier: str) -> Authorization:
    """Return the authorization. Raises ``NotFound`` ``AUTHORIZATION_UNKNOWN``."""
    row = session.get(Authorization, identifier)
    if row is None:
        raise NotFound(
            "AUTHORIZATION_UNKNOWN",
            "There is no authorization with this id.",
            hint="Check the id, a ULID of 26 characters.",
        )
    return row
