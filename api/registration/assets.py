"""Registered assets: register, transfer (offer and acceptance), freeze, annul, reassign."""

from __future__ import annotations

from dataclasses import replace

from fastapi.responses import JSONResponse

from api.http import schemas
from api.http.access import ActCaller, OpenLedger, ReadCaller
from api.http.paging import Page, PageAsked
from api.http.routing import Router
from api.http.waiting import WAITS, waiting
from api.registration.schemas import AnnulIn, ReassignIn
from ledger.chain.sending.relay import SignedRequest
from ledger.domain.resource import DataResource
from ledger.errors import InvalidInput
from ledger.parties.roles import Actor

router = Router(prefix="/assets", tags=["assets"])


@router.post("", status_code=201)
def register(body: schemas.RegisterIn, ledger: OpenLedger, actor: ActCaller) -> schemas.AssetOut:
    """Apply for first registration of a data resource. A broker may apply for its principal, which signs the
    application.
    """
    if body.resource is None and body.catalogue_code is None:
        raise InvalidInput("RESOURCE_MISSING", "Give either a description or a catalogue code.", where="resource")
    resources = [] if body.resource is None else [resource_of(body.resource)]
    codes = [body.catalogue_code] if body.resource is None and body.catalogue_code is not None else []
    intake = ledger.registration.registrations.apply(signing(actor, body), resources, codes, body.applicant)
    for refusal in intake.refused:
        raise refusal.error
    return show_asset(ledger, intake.accepted[0])


@router.get("")
def assets(ledger: OpenLedger, _actor: ReadCaller, paging: PageAsked) -> Page[schemas.AssetOut]:
    """List registered assets, ordered by id."""
    rows = ledger.registration.registrations.views(paging.after, paging.one_more)
    return paging.page(rows, lambda row: str(row["asset"]), lambda row: schemas.AssetOut(**row))


@router.get("/{asset}")
def asset(asset: schemas.HexId, ledger: OpenLedger, _actor: ReadCaller) -> schemas.AssetOut:
    """Return one asset: resource, registration, state and holder."""
    return show_asset(ledger, asset)


@router.post("/{asset}/transfer")
def offer(asset: schemas.HexId, body: schemas.OfferIn, ledger: OpenLedger, actor: ActCaller) -> schemas.AssetOut:
    """Offer the asset to another party until a deadline."""
    ledger.registration.transfers.offer(signing(actor, body), asset, body.to, body.deadline)
    return show_asset(ledger, asset)


@router.post("/{asset}/transfer/acceptance")
def accept(asset: schemas.HexId, body: schemas.AnswerIn, ledger: OpenLedger, actor: ActCaller) -> schemas.AssetOut:
    """Accept an offer; a new registration certificate supersedes the old certificate."""
    ledger.registration.transfers.accept(signing(actor, body), asset)
    return show_asset(ledger, asset)


@router.post("/{asset}/transfer/rejection")
def reject(asset: schemas.HexId, body: schemas.AnswerIn, ledger: OpenLedger, actor: ActCaller) -> schemas.AssetOut:
    """Reject an offer."""
    ledger.registration.transfers.reject(signing(actor, body), asset)
    return show_asset(ledger, asset)


@router.post("/{asset}/transfer/withdrawal")
def withdraw(asset: schemas.HexId, body: schemas.AnswerIn, ledger: OpenLedger, actor: ActCaller) -> schemas.AssetOut:
    """Withdraw an offer."""
    ledger.registration.transfers.withdraw(signing(actor, body), asset)
    return show_asset(ledger, asset)


@router.post("/{asset}/freeze")
def freeze(asset: schemas.HexId, body: schemas.FreezeIn, ledger: OpenLedger, actor: ActCaller) -> schemas.AssetOut:
    """Freeze the asset: until the freeze is lifted, nothing about the asset can change."""
    ledger.registration.transfers.freeze(signing(actor, body), asset, body.reason)
    return show_asset(ledger, asset)


@router.post("/{asset}/unfreeze")
def unfreeze(asset: schemas.HexId, body: schemas.FreezeIn, ledger: OpenLedger, actor: ActCaller) -> schemas.AssetOut:
    """Lift the freeze."""
    ledger.registration.transfers.unfreeze(signing(actor, body), asset, body.reason)
    return show_asset(ledger, asset)


@router.post("/{asset}/annulment")
def annul(asset: schemas.HexId, body: AnnulIn, ledger: OpenLedger, actor: ActCaller) -> schemas.AssetOut:
    """Annul a registration permanently; assets derived from the annulled asset are flagged."""
    ledger.registration.transfers.annul(signing(actor, body), asset, body.reason, body.grounds)
    return show_asset(ledger, asset)


@router.post("/{asset}/reassignment", response_model=schemas.AssetOut, responses=WAITS)
def reassign(
    asset: schemas.HexId, body: ReassignIn, ledger: OpenLedger, actor: ActCaller
) -> schemas.AssetOut | JSONResponse:
    """Propose another holder for an asset. The present holder must be closed, or must have no key with which it can
    act.

    Two authorities must agree, and the change takes effect after the waiting period. Liens and a freeze stay.
    """
    row = ledger.registration.transfers.reassign(signing(actor, body), asset, body.to, body.grounds)
    return waiting(row) or show_asset(ledger, asset)


def signing(actor: Actor, body: schemas.Signable | None) -> Actor:
    """Return the actor together with the signed request that the body contains."""
    if body is None or body.signed_request is None:
        return actor
    signature = body.signed_request.signature.removeprefix("0x").lower()
    return replace(actor, signed=SignedRequest(body.signed_request.typed_data, f"0x{signature}"))


def resource_of(body: schemas.ResourceIn) -> DataResource:
    return DataResource.from_dict(body.model_dump())


def show_asset(ledger: OpenLedger, asset: str) -> schemas.AssetOut:
    return schemas.AssetOut(**ledger.registration.registrations.get(asset))
