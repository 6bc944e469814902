"""Routes for applications, review, public notice and objections (``/v1/assets/{asset}/…``), and for the reviewers'
queue.
"""

from __future__ import annotations

from api.http.access import ActCaller, OpenLedger, ReadCaller
from api.http.paging import Page, PageAsked
from api.http.routing import Router
from api.http.schemas import AssetOut, HexId, RecordNo
from api.registration import schemas as bodies
from api.registration.assets import resource_of, show_asset, signing

router = Router(tags=["registrations"])


@router.get("/registrations/queue")
def queue(ledger: OpenLedger, actor: ReadCaller, paging: PageAsked) -> Page[bodies.Item]:
    """List applications that wait for a next step, with deadlines (in working days) and near duplicates."""
    rows = ledger.registration.review.queue(paging.one_more, paging.after, actor)
    return paging.page(rows, lambda row: str(row["asset"]), lambda row: bodies.Item(**row))


@router.post("/assets/{asset}/applications", status_code=201)
def apply(asset: HexId, body: bodies.ApplicationIn, ledger: OpenLedger, actor: ActCaller) -> AssetOut:
    """Apply for change, correction, renewal or cancellation; or file a returned application again."""
    resource = None if body.resource is None else resource_of(body.resource)
    ledger.registration.applications.apply(signing(actor, body), asset, body.kind, resource, body.reason or "")
    return show_asset(ledger, asset)


@router.post("/assets/{asset}/acceptance")
def accept(asset: HexId, body: bodies.StepIn, ledger: OpenLedger, actor: ActCaller) -> AssetOut:
    """Accept an application for review."""
    ledger.registration.review.accept(signing(actor, body), [asset])
    return show_asset(ledger, asset)


@router.post("/assets/{asset}/review")
def review(asset: HexId, body: bodies.StepIn, ledger: OpenLedger, actor: ActCaller) -> AssetOut:
    """Record that an application passed the review."""
    ledger.registration.review.review(signing(actor, body), [asset])
    return show_asset(ledger, asset)


@router.post("/assets/{asset}/notice")
def notice(asset: HexId, body: bodies.StepIn, ledger: OpenLedger, actor: ActCaller) -> AssetOut:
    """Put an application on public notice for the working days of the ruleset."""
    ledger.registration.review.notice(signing(actor, body), [asset])
    return show_asset(ledger, asset)


@router.post("/assets/{asset}/return")
def give_back(asset: HexId, body: bodies.ReasonIn, ledger: OpenLedger, actor: ActCaller) -> AssetOut:
    """Return an application for correction."""
    ledger.registration.review.give_back(signing(actor, body), asset, body.reason)
    return show_asset(ledger, asset)


@router.post("/assets/{asset}/rejection")
def reject(asset: HexId, body: bodies.ReasonIn, ledger: OpenLedger, actor: ActCaller) -> AssetOut:
    """Reject an application."""
    ledger.registration.review.reject(signing(actor, body), asset, body.reason)
    return show_asset(ledger, asset)


@router.post("/assets/{asset}/confirmation")
def confirm(asset: HexId, body: bodies.StepIn, ledger: OpenLedger, actor: ActCaller) -> AssetOut:
    """Confirm an application and issue the registration certificate. The caller must be a registrar, and must not be
    the applicant.
    """
    ledger.registration.review.confirm(signing(actor, body), [asset])
    return show_asset(ledger, asset)


@router.post("/assets/{asset}/clearance")
def clear(asset: HexId, body: bodies.ClearIn, ledger: OpenLedger, actor: ActCaller) -> AssetOut:
    """Record the security review of important data."""
    ledger.registration.review.clear(signing(actor, body), asset, body.report)
    return show_asset(ledger, asset)


@router.get("/assets/{asset}/objections")
def objections(asset: HexId, ledger: OpenLedger, _actor: ReadCaller) -> bodies.ItemsOut:
    """List the objections to an asset, without their grounds, which stay encrypted."""
    return bodies.ItemsOut(items=ledger.registration.objections.of(asset, ledger.clock()))


@router.post("/assets/{asset}/objections", status_code=201)
def object_to(asset: HexId, body: bodies.ObjectionIn, ledger: OpenLedger, actor: ActCaller) -> bodies.ItemsOut:
    """Object to an application that is on public notice, or to a registration. Objections are not anonymous."""
    ledger.registration.objections.file(signing(actor, body), asset, body.grounds, body.evidence)
    return objections(asset, ledger, actor)


@router.post("/assets/{asset}/objections/{number}/decision")
def decide(
    asset: HexId, number: RecordNo, body: bodies.DecisionIn, ledger: OpenLedger, actor: ActCaller
) -> bodies.ItemsOut:
    """Admit, verify, uphold, dismiss or refuse an objection."""
    ledger.registration.objections.decide(signing(actor, body), asset, number, body.state, body.reason)
    return objections(asset, ledger, actor)
