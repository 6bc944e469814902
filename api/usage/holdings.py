"""Holdings (归集): how many there are, and a subject's own to take away."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import Query, Request, Response

from api.http import schemas
from api.http.access import OpenLedger, PayloadCaller, require
from api.http.paging import At
from api.http.routing import Lane, Router
from api.usage.holdings_filter import Narrowed, Wanted
from ledger.domain.canonical import canonical
from ledger.parties.permissions import Action
from ledger.provenance.readings import How

MAX_BUNDLES = 100
JSON_LINES = "application/x-ndjson"
BYTES = {"type": "string", "format": "binary"}
router = Router(prefix="/holdings", tags=["holdings"])


@router.get("/summary")
@Lane.INSPECTING
def summary(ledger: OpenLedger, wanted: Wanted) -> schemas.HoldingsSummaryOut:
    """How many certificates of each scenario and of each providing department, by their state now."""
    return schemas.HoldingsSummaryOut(**ledger.usage.holdings.summary(wanted))


@router.get(
    "/export",
    response_class=Response,
    responses={
        200: {"content": {JSON_LINES: {"schema": BYTES}}, "description": "A bundle a line; `Link` names the next page."}
    },
)
@Lane.INSPECTING
def export(
    request: Request,
    ledger: OpenLedger,
    actor: PayloadCaller,
    within: Narrowed,
    at: At,
    limit: Annotated[int, Query(ge=1, le=MAX_BUNDLES, description="Certificates on a page.")] = 50,
) -> Response:
    """The caller's own certificates as full bundles, for its wallet: `pingzheng wallet add` takes the lines.

    Left out is what is not anchored yet, and what was erased. The wallet is encrypted where its holder is: neither
    passphrase nor key is ever sent here.
    """
    require(actor, Action.SEE_PAYLOAD, owns=True)
    taken = ledger.usage.holder_bundles.page(actor.party, within, at.after, limit)
    for bundle in taken.bundles:
        ledger.readings.of_bundle(actor, How.WALLET, bundle)
    lines = b"".join(canonical(bundle.to_dict()) + b"\n" for bundle in taken.bundles)
    headers = {"Cache-Control": "no-store"}
    if taken.last is not None:
        query = {**request.query_params, "limit": str(limit), "cursor": at.cursor(taken.last)}
        headers["Link"] = f'<{request.url.path}?{urlencode(query)}>; rel="next"'
    return Response(lines, media_type=JSON_LINES, headers=headers)
