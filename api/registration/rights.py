"""Routes for rights, liens, lineage and assessments of a registered asset (``/v1/assets/{asset}/…``)."""

from __future__ import annotations

from api.http.access import ActCaller, OpenLedger, ReadCaller
from api.http.routing import Router
from api.http.schemas import AssetOut, HexId, RecordNo
from api.registration import schemas as bodies
from api.registration.assets import show_asset, signing
from ledger.registration.reports import QualityReport, Valuation
from ledger.registration.rights import NewRight

router = Router(prefix="/assets/{asset}", tags=["rights"])


@router.get("/rights")
def rights(asset: HexId, ledger: OpenLedger, _actor: ReadCaller) -> bodies.ItemsOut:
    """List the rights granted in an asset; all other rights belong to the holder."""
    return bodies.ItemsOut(items=ledger.registration.rights.of(asset))


@router.post("/rights", status_code=201)
def grant(asset: HexId, body: bodies.RightIn, ledger: OpenLedger, actor: ActCaller) -> bodies.ItemsOut:
    """Grant a right to hold, process or operate. With `parent`, grant a sublicence under the right that has this
    number.
    """
    right = NewRight(**body.model_dump(exclude={"signed_request"}))
    ledger.registration.rights.grant(signing(actor, body), asset, right)
    return rights(asset, ledger, actor)


@router.post("/rights/{number}/transfer")
def transfer_right(
    asset: HexId, number: RecordNo, body: bodies.RecipientIn, ledger: OpenLedger, actor: ActCaller
) -> bodies.ItemsOut:
    """Transfer a transferable right to another party."""
    ledger.registration.rights.transfer(signing(actor, body), asset, number, body.to)
    return rights(asset, ledger, actor)


@router.post("/rights/{number}/end")
def end_right(
    asset: HexId, number: RecordNo, body: bodies.EndIn, ledger: OpenLedger, actor: ActCaller
) -> bodies.ItemsOut:
    """End a right: the grantee gives up the right, or a registrar ends the right for a reason."""
    ledger.registration.rights.end(signing(actor, body), asset, number, body.reason)
    return rights(asset, ledger, actor)


@router.get("/liens")
def liens(asset: HexId, ledger: OpenLedger, _actor: ReadCaller) -> bodies.ItemsOut:
    """List the liens that are not released, ordered by rank."""
    return bodies.ItemsOut(items=ledger.registration.liens.of(asset))


@router.post("/liens", status_code=201)
def pledge(asset: HexId, body: bodies.LienIn, ledger: OpenLedger, actor: ActCaller) -> bodies.ItemsOut:
    """Pledge the asset to a creditor; the amount is in fen."""
    terms = {"amount": body.amount, "due": body.due.isoformat(), "contract": body.contract}
    ledger.registration.liens.pledge(signing(actor, body), asset, body.creditor, terms)
    return liens(asset, ledger, actor)


@router.post("/liens/{number}/consent")
def consent(
    asset: HexId, number: RecordNo, body: bodies.ConsentIn, ledger: OpenLedger, actor: ActCaller
) -> bodies.ItemsOut:
    """Consent, as the creditor, to a transfer to one party; or withdraw the consent."""
    ledger.registration.liens.consent(signing(actor, body), asset, number, body.to)
    return liens(asset, ledger, actor)


@router.post("/liens/{number}/release")
def release(
    asset: HexId, number: RecordNo, body: bodies.StepIn, ledger: OpenLedger, actor: ActCaller
) -> bodies.ItemsOut:
    """Release a lien, as its creditor."""
    ledger.registration.liens.release(signing(actor, body), asset, number)
    return liens(asset, ledger, actor)


@router.post("/parents", status_code=201)
def link(asset: HexId, body: bodies.LinkIn, ledger: OpenLedger, actor: ActCaller) -> AssetOut:
    """Record from which registered asset a new asset is derived. This is possible until the new asset's application is
    accepted.
    """
    ledger.registration.lineage.link(signing(actor, body), asset, body.relation, body.parent)
    return show_asset(ledger, asset)


@router.post("/successor", status_code=201)
def replace(asset: HexId, body: bodies.ReplaceIn, ledger: OpenLedger, actor: ActCaller) -> AssetOut:
    """Record by which asset this asset is replaced."""
    ledger.registration.lineage.replace(signing(actor, body), asset, body.successor)
    return show_asset(ledger, asset)


@router.get("/assessments")
def assessments(asset: HexId, ledger: OpenLedger, _actor: ReadCaller) -> bodies.ItemsOut:
    """List quality reports and valuations, oldest first."""
    return bodies.ItemsOut(items=ledger.registration.assessments.of(asset))


@router.post("/quality-reports", status_code=201)
def quality(asset: HexId, body: bodies.QualityIn, ledger: OpenLedger, actor: ActCaller) -> bodies.ItemsOut:
    """Record a quality report: a score and a weight for each of six dimensions; the weights add up to 100."""
    report = QualityReport(body.scores, body.weights, body.report)
    ledger.registration.assessments.quality(signing(actor, body), asset, report, body.last_day)
    return assessments(asset, ledger, actor)


@router.post("/valuations", status_code=201)
def valuation(asset: HexId, body: bodies.ValuationIn, ledger: OpenLedger, actor: ActCaller) -> bodies.ItemsOut:
    """Record a valuation in fen, by the cost, income or market method."""
    report = Valuation(body.method, body.amount, body.base_date.isoformat(), body.report)
    ledger.registration.assessments.valuation(signing(actor, body), asset, report, body.last_day)
    return assessments(asset, ledger, actor)
