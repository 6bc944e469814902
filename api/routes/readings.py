"""Who used my data: for the subject alone."""

from __future__ import annotations

from dataclasses import asdict

from api import schemas_access as access
from api.access import OpenLedger, ReadCaller
from api.paging import Cursor, Limit, Page, decode, page
from api.routing import Router

router = Router(prefix="/readings", tags=["readings"])


@router.get("")
def readings(
    ledger: OpenLedger, actor: ReadCaller, limit: Limit = 50, cursor: Cursor = None
) -> Page[access.ReadingOut]:
    """Every reading, verification and use of data about the caller, and what was opened for a case, as recorded.

    A reading stands here within about a second; a crash of the service loses those of its last second at most.
    """
    rows = ledger.readings.page(actor.party, decode(cursor), limit + 1)
    return page(rows, limit, lambda row: row.id, lambda row: access.ReadingOut(**asdict(row)))
