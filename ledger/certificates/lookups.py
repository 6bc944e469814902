"""Certificates by number, or the error that says there is none."""

from __future__ import annotations

from sqlalchemy.orm import Session

from ledger.certificates.tables import Certificate
from ledger.errors import NotFound


def certificate(session: Session, number: str) -> Certificate:
    """The certificate; raises ``NotFound`` ``CERTIFICATE_UNKNOWN``."""
    row = session.get(Certificate, number)
    if row is None:
        raise NotFound(
            "CERTIFICATE_UNKNOWN",
            "No certificate of that number was issued here.",
            hint="Check every digit of the number.",
        )
    return row
