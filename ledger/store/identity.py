"""Records which ledger a database belongs to: its contents were signed for this ledger and are invalid on other
ledgers.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.errors import Misconfigured
from ledger.store.tables import LedgerIdentity


def known_ledger(session: Session) -> str | None:
    """Return the digest (64 hex digits) of the ledger that the database belongs to, or None for a new database."""
    return session.scalar(select(LedgerIdentity.digest))


def remember_ledger(session: Session, digest: str, at: int) -> None:
    """Record the ledger digest (64 hex digits) at the first call; compare it at later calls. ``at`` is seconds UTC.

    Raises what ``require_ledger`` raises.
    """
    if known_ledger(session) is None:
        session.add(LedgerIdentity(digest=digest, created_at=at))
        session.flush()
    require_ledger(session, digest)


def require_ledger(session: Session, digest: str) -> None:
    """Raise ``Misconfigured`` ``LEDGER_DIFFERS`` unless the database belongs to the ledger with that digest."""
    known = known_ledger(session)
    if known != digest:
        raise Misconfigured(
            "LEDGER_DIFFERS",
            "This database belongs to another ledger than the contracts on this chain.",
            where=f"ledger {digest}",
            hint="Use the chain on which this database was set up, or begin with an empty folder.",
            expected=known,
            found=digest,
        )
