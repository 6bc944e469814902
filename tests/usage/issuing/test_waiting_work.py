"""A query for waiting work uses an index that contains only the waiting rows, so its time does not grow with
the table.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import event

from ledger.store import log as log_store
from tests.support.actors.pilots import Pilot


def test_queries_for_waiting_work_do_not_read_the_whole_table(pilot: Pilot) -> None:
    ledger, sent = pilot.ledger, list[tuple[str, Any]]()

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_others: Any) -> None:
        sent.append((statement, parameters))

    event.listen(ledger.database.engine, "before_cursor_execute", note)
    ledger.usage.issuance.ready()
    ledger.usage.expiry.tick()
    with ledger.database.read() as session:
        log_store.unanchored(session)
    event.remove(ledger.database.engine, "before_cursor_execute", note)
    with ledger.database.engine.connect() as connection:
        plans = [
            str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all())
            for statement, parameters in sent
            if statement.startswith("SELECT")
        ]
    for index in ("ix_access_request_authorised", "ix_access_request_open", "ix_batch_closed"):
        assert [plan for plan in plans if index in plan], (index, plans)
