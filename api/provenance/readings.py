"""Who used my data: for the subject alone."""

from __future__ import annotations

from dataclasses import asdict

from api.http.access import OpenLedger, ReadCaller
from api.http.paging import Page, PageAsked
from api.http.routing import Router
from api.parties import access_schemas as access

router = Router(prefix="/readings", tags=["readings"])


@router.get("")
def readings(ledger: OpenLedger, actor: ReadCaller, paging: PageAsked) -> Page[access.ReadingOut]:
    """Every reading, verification and use of data about the caller, and what was opened for a case, as recorded.

    A reading stands here within about a second; a crash of the service loses those of its last second at most.
    """
    rows = ledger.readings.page(actor.party, paging.after, paging.one_more)
    return paging.page(rows, lambda row: row.id, lambda row: access.ReadingOut(**asdict(row)))
