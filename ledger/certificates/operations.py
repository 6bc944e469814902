"""Operations. A caller that issued certificates together asks for the operation until all of these certificates are
anchored.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select
from ulid import ULID

from ledger.certificates.tables import Certificate, Operation
from ledger.domain.days import Clock
from ledger.errors import NotFound
from ledger.store import log as log_store
from ledger.store.database import Database
from ledger.store.tables import Entry


class Operations:
    """An operation is ``pending`` until the last of its certificates is anchored, and then ``done``."""

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
            row = session.get(Operation, identifier)
            if row is None or row.party_id != party:
                raise NotFound(
                    "OPERATION_UNKNOWN",
                    "Your party has no operation with this id.",
                    hint="Check the id, a ULID of 26 characters.",
                )
            return _described(row, log_store.last_seq_anchored(session))


def _described(row: Operation, anchored: int) -> dict[str, Any]:
    state = "done" if row.last_seq <= anchored else "pending"
    return {"id": row.id, "kind": row.kind, "state": state, "result": row.result}
