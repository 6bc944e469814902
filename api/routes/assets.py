"""Registered assets: register, confirm, transfer in two steps, freeze, provenance."""

from __future__ import annotations

from fastapi import APIRouter

from api import schemas
from api.access import Caller, OpenLedger, require
from api.paging import Cursor, Limit, Page, decode, page
from ledger.chain.relay import SignedRequest
from ledger.domain.permissions import Action
from ledger.domain.resource import DataResource, ResourceField

router = APIRouter(prefix="/assets", tags=["assets"])


@router.post("", status_code=201)
def register(body: schemas.RegisterIn, ledger: OpenLedger, actor: Caller) -> schemas.AssetOut:
    """Apply for first registration of a data resource."""
    require(actor, Action.APPLY_REGISTRATION, owns=True)
    item = body.resource
    resource = DataResource(
        code=item.code,
        title=item.title,
        package=item.package,
        rows=item.rows,
        columns=item.columns,
        fields=tuple(ResourceField(field.name, field.type) for field in item.fields),
        content_digest=item.content_digest,
    )
    intake = ledger.registrations.submit(actor.party, [resource])
    for refusal in intake.refused:
        raise refusal.error
    ledger.registrations.register(intake.accepted, signed=_signed(body))
    return _show(ledger, intake.accepted[0])


@router.get("")
def assets(ledger: OpenLedger, _actor: Caller, limit: Limit = 50, cursor: Cursor = None) -> Page[schemas.AssetOut]:
    """Registered assets by id."""
    rows = ledger.registrations.page(decode(cursor), limit + 1)
    return page(rows, limit, lambda row: row.asset_id, lambda row: _show(ledger, row.asset_id))


@router.get("/{asset}")
def asset(asset: schemas.HexId, ledger: OpenLedger, _actor: Caller) -> schemas.AssetOut:
    """One asset: resource, registration, state and holder."""
    return _show(ledger, asset)


@router.post("/{asset}/confirmation")
def confirm(asset: schemas.HexId, body: schemas.ConfirmIn, ledger: OpenLedger, actor: Caller) -> schemas.AssetOut:
    """Confirm an application as registrar (not the applicant); the registration certificate is issued."""
    require(actor, Action.REVIEW_REGISTRATION)
    ledger.registrations.confirm(actor.party, [asset], signed=_signed(body))
    return _show(ledger, asset)


@router.post("/{asset}/transfer")
def offer(asset: schemas.HexId, body: schemas.OfferIn, ledger: OpenLedger, actor: Caller) -> schemas.AssetOut:
    """Offer the asset to another party until a deadline."""
    ledger.transfers.offer(asset, actor.party, body.to, body.deadline, _signed(body))
    return _show(ledger, asset)


@router.post("/{asset}/transfer/acceptance")
def accept(asset: schemas.HexId, body: schemas.AnswerIn, ledger: OpenLedger, actor: Caller) -> schemas.AssetOut:
    """Accept an offer; the new registration certificate supersedes the old one."""
    ledger.transfers.accept(asset, actor.party, _signed(body))
    return _show(ledger, asset)


@router.post("/{asset}/transfer/rejection")
def reject(asset: schemas.HexId, body: schemas.AnswerIn, ledger: OpenLedger, actor: Caller) -> schemas.AssetOut:
    """Reject an offer."""
    ledger.transfers.reject(asset, actor.party, _signed(body))
    return _show(ledger, asset)


@router.post("/{asset}/transfer/withdrawal")
def withdraw(asset: schemas.HexId, body: schemas.AnswerIn, ledger: OpenLedger, actor: Caller) -> schemas.AssetOut:
    """Take back an offer."""
    ledger.transfers.withdraw(asset, actor.party, _signed(body))
    return _show(ledger, asset)


@router.post("/{asset}/freeze")
def freeze(asset: schemas.HexId, body: schemas.FreezeIn, ledger: OpenLedger, actor: Caller) -> schemas.AssetOut:
    """Stop every move of the asset."""
    require(actor, Action.FREEZE)
    ledger.transfers.freeze(asset, actor.party, body.reason, _signed(body))
    return _show(ledger, asset)


@router.post("/{asset}/unfreeze")
def unfreeze(asset: schemas.HexId, body: schemas.FreezeIn, ledger: OpenLedger, actor: Caller) -> schemas.AssetOut:
    """Let the asset move again."""
    require(actor, Action.FREEZE)
    ledger.transfers.unfreeze(asset, actor.party, body.reason, _signed(body))
    return _show(ledger, asset)


@router.get("/{asset}/provenance")
def provenance(asset: schemas.HexId, ledger: OpenLedger, _actor: Caller) -> schemas.ProvenanceOut:
    """Every event of the asset, with the head that proves that nothing is missing."""
    return schemas.ProvenanceOut(**ledger.provenances.asset(asset).to_dict())


def _signed(body: schemas.Signable) -> SignedRequest | None:
    if body.signed_request is None:
        return None
    signature = body.signed_request.signature.removeprefix("0x").lower()
    return SignedRequest(body.signed_request.typed_data, f"0x{signature}")


def _show(ledger: OpenLedger, asset: str) -> schemas.AssetOut:
    return schemas.AssetOut(**ledger.registrations.get(asset))
