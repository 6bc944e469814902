"""Operations: work that a call began and that ends after the call. The caller asks for the operation until all items of
the batch are handled and all certificates of the operation are anchored.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from ulid import ULID

from ledger.certificates.tables import Certificate, Operation, OperationItem
from ledger.domain.days import Clock
from ledger.errors import NotFound
from ledger.store import log as log_store
from ledger.store.database import Database
from ledger.store.tables import Entry


class Operations:
    """An operation is ``pending`` until all items are handled and the last certificate is anchored; then it is
    ``done``. In the mode ``ALL_OR_NONE``, a batch is ``refused`` if one of its items was refused.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def begin(self, party: str, kind: str, certificates: Sequence[str]) -> dict[str, Any]:
        """Record an operation for certificates that were just issued (given by their numbers), and return the operation
        as JSON.
        """
        with self._database.write() as session:
            last = session.scalar(
                select(func.max(Entry.seq))
                .join(Certificate, Certificate.digest == Entry.digest)
                .where(Certificate.certificate_no.in_(certificates))
            )
            row = Operation(
                id=str(ULID()),
                party_id=party,
                kind=kind,
                last_seq=-1 if last is None else last,
                result={"certificates": list(certificates)},
                created_at=self._clock(),
            )
            session.add(row)
            return _described(row, log_store.last_seq_anchored(session))

    def get(self, identifier: str, party: str) -> dict[str, Any]:
        """Return a party's own operation as JSON; raises ``NotFound`` ``OPERATION_UNKNOWN``."""
        with self._database.read() as session:
            return _described(_own(session, identifier, party), log_store.last_seq_anchored(session))

    def items(self, identifier: str, party: str, after: int, limit: int, outcome: str | None) -> list[dict[str, Any]]:
        """Return the items of a party's own batch with numbers above ``after``, in ascending order, as JSON. If
        ``outcome`` is given, only the items with this outcome are returned. Raises what ``get`` raises.
        """
        query = select(OperationItem).where(OperationItem.operation_id == identifier, OperationItem.number > after)
        if outcome is not None:
            query = query.where(OperationItem.outcome == outcome)
        with self._database.read() as session:
            over = _own(session, identifier, party).stage in ("handled", "refused")
            return [
                {
                    "number": row.number,
                    "outcome": row.outcome or ("not_recorded" if over else "pending"),
                    "records": row.records or [],
                    "error": row.refusal,
                }
                for row in session.scalars(query.order_by(OperationItem.number).limit(limit))
            ]


def _own(session: Session, identifier: str, party: str) -> Operation:
    row = session.get(Operation, identifier)
    if row is None or row.party_id != party:
        raise NotFound(
            "OPERATION_UNKNOWN",
            "Your party has no operation with this id.",
            hint="Check the id, a ULID of 26 characters.",
        )
    return row


def _described(row: Operation, anchored: int) -> dict[str, Any]:
    handled = row.stage in (None, "handled") and row.last_seq <= anchored
    state = "refused" if row.stage == "refused" else "done" if handled else "pending"
    own = {"id": row.id, "kind": row.kind, "state": state, "result": row.result}
    counts = {"total": row.total, "done": row.handled, "refused": row.refused}
    return own | counts | {"mode": row.mode, "error": row.refusal}
