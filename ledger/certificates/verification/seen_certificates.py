"""Find the position and the use counter of a certificate that was issued here, or found genuine when verified here."""

from __future__ import annotations

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from ledger.certificates.lookups import request_of
from ledger.certificates.tables import Certificate, Presentation
from ledger.errors import NotFound
from ledger.log.positions import positions
from ledger.proof.bundle import Position


def place_of(session: Session, number: str) -> Position | None:
    """Return a certificate's position in the log, or None if the certificate is not anchored. Raises ``NotFound``."""
    known = session.get(Certificate, number)
    if known is not None:
        return positions(session, [known.digest]).get(known.digest)
    seen = _seen(session, number)
    if seen.issuer is None or seen.batch is None or seen.index is None:
        return None
    return Position(seen.issuer, seen.batch, seen.index)


def counter_of(session: Session, number: str) -> tuple[str, str] | None:
    """Return the consumer (party id) and the request (statement digest) for which the chain counts a certificate's
    uses.

    Returns None for a registration certificate. If the certificate was issued elsewhere, the consumer is the party that
    verified it here. Raises ``NotFound``.
    """
    known = session.get(Certificate, number)
    if known is None:
        seen = _seen(session, number)
        return None if seen.request is None else (seen.consumer, seen.request)
    request = request_of(session, known)
    return None if request is None or known.consumer is None else (known.consumer, request)


def genuine() -> ColumnElement[bool]:
    """Return the SQL condition that selects presentations of genuine certificates."""
    return Presentation.batch.is_not(None)


def _seen(session: Session, number: str) -> Presentation:
    query = select(Presentation).where(Presentation.certificate_no == number, genuine())
    seen = session.scalars(query.order_by(Presentation.id).limit(1)).first()
    if seen is None:
        raise certificate_not_seen()
    return seen


def certificate_not_seen() -> NotFound:
    """Return the error ``CERTIFICATE_UNKNOWN``."""
    return NotFound(
        "CERTIFICATE_UNKNOWN",
        "No certificate with this number was issued or verified here.",
        hint="Check every digit of the number.",
    )
