"""Holdings (归集): counts of certificates, and the export of a subject's own certificates."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import Query, Request, Response

from api.http import schemas
from api.http.access import OpenLedger, PayloadCaller, ReadCaller
from api.http.paging import At
from api.http.routing import Lane, Router
from api.usage.holdings_filter import Narrowed, Wanted
from ledger.domain.canonical import canonical
from ledger.provenance.readings import How

MAX_BUNDLES = 100
JSON_LINES = "application/x-ndjson"
BYTES = {"type": "string", "format": "binary"}
router = Router(prefix="/holdings", tags=["holdings"])


@router.get("/summary")
@Lane.INSPECTING
def summary(ledger: OpenLedger, actor: ReadCaller, wanted: Wanted) -> schemas.HoldingsSummaryOut:
    """Return how many certificates each scenario and each provider has in each state."""
    return schemas.HoldingsSummaryOut(**ledger.usage.holdings.summary(wanted, actor))


@router.get(
    "/export",
    response_class=Response,
    responses={
        200: {
            "content": {JSON_LINES: {"schema": BYTES}},
            "description": "One bundle on each line; `Link` names the next page.",
        }
    },
)
@Lane.INSPECTING
def export(
    request: Request,
    ledger: OpenLedger,
    actor: PayloadCaller,
    within: Narrowed,
    at: At,
    limit: Annotated[int, Query(ge=1, le=MAX_BUNDLES, description="Certificates per page.")] = 50,
) -> Response:
    """Export the caller's own certificates as full bundles, one bundle on each line, for `pingzheng wallet add`.

    Certificates that are not anchored yet, or whose claims were erased, are left out. The holder encrypts its wallet
    itself and never sends a passphrase or a key to the service.
    """
    taken = ledger.usage.holder_bundles.export(actor, within, at.after, limit)
    for bundle in taken.bundles:
        ledger.readings.of_bundle(actor, How.WALLET, bundle)
    lines = b"".join(canonical(bundle.to_dict()) + b"\n" for bundle in taken.bundles)
    headers = {"Cache-Control": "no-store"}
    if taken.last is not None:
        query = {**request.query_params, "limit": str(limit), "cursor": at.cursor(taken.last)}
        headers["Link"] = f'<{request.url.path}?{urlencode(query)}>; rel="next"'
    return Response(lines, media_type=JSON_LINES, headers=headers)
