"""Positions of log entries: (issuer, batch, index). An entry has a position once its batch is anchored."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sqlalchemy.orm import Session

from ledger.errors import Conflict
from ledger.log.anchoring import Anchoring
from ledger.proof.bundle import Position
from ledger.store import log as log_store
from ledger.store.database import Database
from ledger.store.tables import Batch

NOT_ANCHORED_YET: Final = "NOT_ANCHORED_YET"


class Positions:
    """Finds the position of a statement by its digest (hex)."""

    def __init__(self, database: Database, anchoring: Anchoring) -> None:
        self._database = database
        self._anchoring = anchoring

    def wait(self, digest: str) -> Position:
        """Return the position; if the entry's batch is not anchored yet, close and anchor the batch first.

        Raises ``Conflict`` ``PARTY_PAUSED`` if a pause stops the anchoring.
        """
        with self._database.read() as session:
            found = positions(session, [digest]).get(digest)
        if found is None:
            self._anchoring.flush()
            with self._database.read() as session:
                found = position(session, digest)
        return found


def positions(session: Session, digests: Iterable[str]) -> dict[str, Position]:
    """Return a map from statement digest (hex) to position, without statements whose batch is not anchored."""
    found: dict[str, Position] = {}
    for digest, entry in log_store.entries_by_digest(session, digests).items():
        if entry.batch is None:
            continue
        batch = session.get_one(Batch, entry.batch)
        if batch.issuer is not None:
            found[digest] = Position(batch.issuer, batch.number, entry.seq - batch.first_seq)
    return found


def position(session: Session, digest: str) -> Position:
    """Return the position of a statement; raises ``Conflict`` ``NOT_ANCHORED_YET`` if its batch is not anchored."""
    found = positions(session, [digest]).get(digest)
    if found is None:
        raise not_anchored_yet()
    return found


def not_anchored_yet() -> Conflict:
    """Return the error for an entry without a position."""
    return Conflict(
        NOT_ANCHORED_YET,
        "The entry's batch is not anchored on the chain yet.",
        hint="Poll the operation until it is done, then try again.",
    )
