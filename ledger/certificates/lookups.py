"""Look up certificates by number, and their payloads in the log."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from ledger.certificates.tables import Certificate
from ledger.domain.digests import hex_of
from ledger.errors import NotFound
from ledger.store import log as log_store


def certificate(session: Session, number: str) -> Certificate:
    """Return the certificate; raises ``NotFound`` ``CERTIFICATE_UNKNOWN``."""
    row = session.get(Certificate, number)
    if row is None:
        raise NotFound(
            "CERTIFICATE_UNKNOWN",
            "No certificate with this number was issued here.",
            hint="Check every digit of the number.",
        )
    return row


def payload_of(session: Session, number: str) -> dict[str, Any]:
    """Return the certificate's payload, which is its entry in the log."""
    return log_store.statement(session, session.get_one(Certificate, number).digest)


def request_of(session: Session, row: Certificate) -> str | None:
    """Return the statement digest (hex) of a usage certificate's request; None for a registration certificate."""
    named: str | None = log_store.statement(session, row.digest).get("request")
    return None if named is None else hex_of(named)
