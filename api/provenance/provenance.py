"""Routes for the provenance of assets: events with their proof, past states, W3C PROV, lineage and pictures."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Response
from fastapi.responses import JSONResponse

from api.http import schemas
from api.http.access import AnyInstallation, ReadCaller
from api.http.routing import Lane, Router
from ledger.domain.days import LAST_SECOND

router = Router(prefix="/assets/{asset}", tags=["provenance"])
SVG = "image/svg+xml"
JSON_LD = "application/ld+json"
PICTURE = {"type": "string", "format": "binary"}
GRAPH = {"type": "object", "additionalProperties": True}

At = Annotated[
    int | None,
    Query(ge=0, le=LAST_SECOND, description="Also return the state of the asset at this time (seconds UTC)."),
]


@router.get("/provenance")
@Lane.INSPECTING
def provenance(
    asset: schemas.HexId, ledger: AnyInstallation, _actor: ReadCaller, at: At = None
) -> schemas.AssetProvenanceOut:
    """Return every event of the asset, with the head that proves that no event is missing.

    `args` are the values that are hashed into the head; `names` has names for the numbers in `args`. With `at`, `view`
    is the asset at that time: state, holder, liens, objections, and in `held` the rights of each kind that were in
    force.
    """
    found = ledger.provenances.asset(asset).to_dict()
    view = None if at is None else ledger.provenances.at(asset, at).to_dict(ledger.reader.party_id)
    return schemas.AssetProvenanceOut(**found, view=view)


@router.get("/provenance.jsonld", response_class=Response, responses={200: {"content": {JSON_LD: {"schema": GRAPH}}}})
@Lane.INSPECTING
def provenance_jsonld(asset: schemas.HexId, ledger: AnyInstallation, _actor: ReadCaller) -> Response:
    """Return the asset's history as W3C PROV in JSON-LD, with the JSON-LD context embedded."""
    return JSONResponse(ledger.provenances.prov(asset), media_type=JSON_LD)


@router.get("/provenance.svg", response_class=Response, responses={200: {"content": {SVG: {"schema": PICTURE}}}})
@Lane.INSPECTING
def provenance_svg(asset: schemas.HexId, ledger: AnyInstallation, _actor: ReadCaller) -> Response:
    """Return the asset's history as a picture (SVG)."""
    return Response(ledger.provenances.timeline(asset), media_type=SVG)


@router.get("/lineage")
@Lane.INSPECTING
def lineage(asset: schemas.HexId, ledger: AnyInstallation, _actor: ReadCaller) -> schemas.LineageOut:
    """Return the ancestors and descendants of the asset. Assets with an annulled ancestor are marked."""
    return schemas.LineageOut(**ledger.provenances.lineage(asset).to_dict())


@router.get("/lineage.svg", response_class=Response, responses={200: {"content": {SVG: {"schema": PICTURE}}}})
@Lane.INSPECTING
def lineage_svg(asset: schemas.HexId, ledger: AnyInstallation, _actor: ReadCaller) -> Response:
    """Return the asset's lineage as a picture (SVG)."""
    return Response(ledger.provenances.lineage_svg(asset), media_type=SVG)
