"""The data list: descriptions, reviews, signatures, imports. A code can contain slashes, so it comes last in a path."""

from __future__ import annotations

import base64
import binascii
from dataclasses import asdict
from typing import Annotated

from fastapi import Path, Query

from api.catalogue import schemas as catalogue
from api.http import schemas
from api.http.access import ActCaller, OpenLedger, ReadCaller
from api.http.paging import Page, PageAsked
from api.http.routing import Lane, Router
from ledger.catalogue.data_list import CatalogueEntry
from ledger.catalogue.sheets import sheets_of
from ledger.domain.resource import DataResource
from ledger.errors import InvalidInput

router = Router(prefix="/catalogue", tags=["catalogue"])

CodePath = Annotated[str, Path(max_length=64)]
Version = Annotated[int, Path(ge=1, lt=2**31)]
OfVersion = Annotated[int, Query(ge=1, lt=2**31)]


@router.post("/resources")
def put(body: catalogue.PutResourceIn, ledger: OpenLedger, actor: ActCaller) -> catalogue.ChangeOut:
    """Record a description as the next version of the caller's resource. If the description has not changed, nothing is
    recorded.
    """
    change = ledger.catalogue.data.put(actor, DataResource.from_dict(body.resource.model_dump()))
    return catalogue.ChangeOut(
        code=body.resource.code, verdict=change.verdict, version=change.version, diff=list(change.changes)
    )


@router.get("/resources")
def resources(
    ledger: OpenLedger, actor: ReadCaller, paging: PageAsked, state: Annotated[str | None, Query(max_length=16)] = None
) -> Page[catalogue.CatalogueEntryOut]:
    """List entries, ordered by code. Unpublished entries are listed only for their provider and for parties that
    approve resources.
    """
    rows = ledger.catalogue.data.page(paging.after, paging.one_more, state, actor)
    return paging.page(rows, lambda row: row.code, show)


@router.get("/resources/{code:path}")
def resource(code: CodePath, ledger: OpenLedger, actor: ReadCaller) -> catalogue.ResourceOut:
    """Return one resource in its newest version, or in its published version if the caller may not see drafts."""
    return catalogue.ResourceOut(**ledger.catalogue.data.get(code, actor))


@router.get("/versions/{version}/{code:path}")
def version(version: Version, code: CodePath, ledger: OpenLedger, actor: ReadCaller) -> catalogue.VersionOut:
    """Return the description of a resource in the given version."""
    document = ledger.catalogue.data.document(code, version, actor)
    return catalogue.VersionOut(code=code, version=version, resource=document)


@router.get("/history/{code:path}")
def history(code: CodePath, ledger: OpenLedger, actor: ReadCaller) -> catalogue.HistoryOut:
    """List every step of a resource, oldest first."""
    return catalogue.HistoryOut(code=code, events=ledger.catalogue.data.history(code, actor))


@router.get("/diff/{code:path}")
def diff(code: CodePath, old: OfVersion, new: OfVersion, ledger: OpenLedger, actor: ReadCaller) -> catalogue.DiffOut:
    """Return what changed between two versions of a resource."""
    return catalogue.DiffOut(code=code, changes=ledger.catalogue.data.diff(code, old, new, actor))


@router.post("/submissions")
def submit(body: catalogue.CodeIn, ledger: OpenLedger, actor: ActCaller) -> catalogue.CatalogueEntryOut:
    """Submit the newest version of a resource for signature. Important data without a recorded review is blocked
    instead.
    """
    return show(ledger.catalogue.data.submit(actor, body.code))


@router.post("/reviews")
def review(body: catalogue.ReviewIn, ledger: OpenLedger, actor: ActCaller) -> catalogue.CatalogueEntryOut:
    """Record the review of important data; the review lifts a block."""
    return show(ledger.catalogue.data.record_review(actor, body.code, body.report_digest))


@router.post("/blocks")
def block(body: catalogue.ReasonedIn, ledger: OpenLedger, actor: ActCaller) -> catalogue.CatalogueEntryOut:
    """Remove a resource from every list until a review lifts the block."""
    return show(ledger.catalogue.data.block(actor, body.code, body.reason))


@router.post("/retirements")
def retire(body: catalogue.ReasonedIn, ledger: OpenLedger, actor: ActCaller) -> catalogue.CatalogueEntryOut:
    """Retire an entry permanently; its versions are kept."""
    return show(ledger.catalogue.data.retire(actor, body.code, body.reason))


@router.post("/officers")
def appoint(body: catalogue.OfficerIn, ledger: OpenLedger, actor: ActCaller) -> catalogue.OfficerOut:
    """As an authority, appoint a department's chief data officer."""
    ledger.catalogue.publications.appoint(actor, body.department, body.cdo)
    return catalogue.OfficerOut(department=body.department, cdo=body.cdo)


@router.post("/publications/draft")
def publication_draft(body: catalogue.CodeIn, ledger: OpenLedger, actor: ActCaller) -> schemas.DraftOut:
    """Return the unsigned publication of the newest version, for the department's chief data officer to sign."""
    return schemas.DraftOut(entry=ledger.catalogue.publications.draft(actor, body.code))


@router.post("/publications/signature")
def sign(body: schemas.StatementIn, ledger: OpenLedger, actor: ActCaller) -> catalogue.CatalogueEntryOut:
    """Record a publication that the chief data officer signed."""
    return show(ledger.catalogue.publications.sign(actor, body.statement))


@router.post("/publications")
def publish(body: catalogue.CodeIn, ledger: OpenLedger, actor: ActCaller) -> catalogue.CatalogueEntryOut:
    """Publish the signed version in the data list."""
    return show(ledger.catalogue.publications.publish(actor, body.code))


@router.post("/imports")
@Lane.IMPORTING
def import_table(body: catalogue.ImportIn, ledger: OpenLedger, actor: ActCaller) -> catalogue.ImportOut:
    """Import a table into the caller's data list. If one row is refused, no row is imported. A dry run only reports on
    each row.
    """
    beside = None if body.fields is None else _bytes(body.fields, "fields")
    sheets = sheets_of(_bytes(body.content, "content"), body.name, beside, body.encoding)
    take = ledger.catalogue.imports.dry_run if body.dry_run else ledger.catalogue.imports.commit
    report = take(actor, sheets)
    return catalogue.ImportOut(
        committed=report.committed,
        counts=report.counts,
        rows=[row.to_dict() for row in report.rows],
        notes=list(report.notes),
    )


def show(entry: CatalogueEntry) -> catalogue.CatalogueEntryOut:
    return catalogue.CatalogueEntryOut(**asdict(entry))


def _bytes(text: str, where: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidInput("BASE64_INVALID", "The text is not base64.", where=where) from error
