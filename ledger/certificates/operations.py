"""Operations: accepted work that is final when its entries are anchored."""

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
    """Begun with the certificates that were issued; done when the chain holds the last of them."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def begin(self, party: str, kind: str, certificates: Sequence[str]) -> dict[str, Any]:
        """Record accepted work and describe it."""
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
        """The operation as it stands; raises ``NotFound`` ``OPERATION_UNKNOWN``, also for another party's."""
        with self._database.read() as session:
            row = session.get(Operation, identifier)
            if row is None or row.party_id != party:
                raise NotFound("OPERATION_UNKNOWN", "No such operation of yours.", hint="Check the id; it is a ULID.")
            return _described(row, log_store.last_seq_anchored(session))


def _described(row: Operation, anchored: int) -> dict[str, Any]:
    state = "done" if row.last_seq <= anchored else "pending"
    return {"id": row.id, "kind": row.kind, "state": state, "result": row.result}
