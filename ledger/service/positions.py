"""Where an entry stands on the chain: (batch, index) once its batch is anchored."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy.orm import Session

from ledger.errors import Conflict
from ledger.proof.bundle import Position
from ledger.service.anchoring import Anchoring
from ledger.store import log as log_store
from ledger.store.database import Database
from ledger.store.tables import Batch


class Positions:
    """Looks up anchored positions by leaf hash (hex)."""

    def __init__(self, database: Database, anchoring: Anchoring) -> None:
        self._database = database
        self._anchoring = anchoring

    def wait(self, leaf: str) -> Position:
        """The position, closing and anchoring the open batch first where it is needed."""
        with self._database.read() as session:
            found = positions(session, [leaf]).get(leaf)
        if found is None:
            self._anchoring.flush()
            with self._database.read() as session:
                found = position(session, leaf)
        return found


def positions(session: Session, leaves: Iterable[str]) -> dict[str, Position]:
    """Positions of those entries whose batch is anchored."""
    found: dict[str, Position] = {}
    for leaf, entry in log_store.entries_by_leaf(session, leaves).items():
        if entry.batch is None:
            continue
        batch = session.get_one(Batch, entry.batch)
        if batch.state == "anchored":
            found[leaf] = Position(batch.number, entry.seq - batch.first_seq)
    return found


def position(session: Session, leaf: str) -> Position:
    """The position; raises ``Conflict`` ``NOT_ANCHORED_YET`` while its batch is open."""
    found = positions(session, [leaf]).get(leaf)
    if found is None:
        raise not_anchored_yet()
    return found


def not_anchored_yet() -> Conflict:
    """The entry has no position on the chain so far."""
    return Conflict(
        "NOT_ANCHORED_YET",
        "The entry's batch is not anchored on the chain yet.",
        hint="Poll the operation until it is done, then ask again.",
    )
