"""The route with which a subject lists who used its data."""

from __future__ import annotations

from dataclasses import asdict

from api.http.access import OpenLedger, ReadCaller
from api.http.paging import Page, PageAsked
from api.http.routing import Router
from api.parties import access_schemas as access

router = Router(prefix="/readings", tags=["readings"])


@router.get("")
def readings(ledger: OpenLedger, actor: ReadCaller, paging: PageAsked) -> Page[access.ReadingOut]:
    """List every reading, verification and use of data about the caller, and every disclosure for a case.

    A reading appears within about a second; a crash of the service loses at most the readings of its last second.
    """
    rows = ledger.readings.page(actor.party, paging.after, paging.one_more)
    return paging.page(rows, lambda row: row.id, lambda row: access.ReadingOut(**asdict(row)))
