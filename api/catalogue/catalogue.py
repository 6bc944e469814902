"""The data list: descriptions, reviews, signatures, imports. A code may hold slashes, so it ends a path."""

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
    """Record a description as the next version of the caller's resource; the same again records nothing."""
    change = ledger.catalogue.data.put(actor, DataResource.from_dict(body.resource.model_dump()))
    return catalogue.ChangeOut(
        code=body.resource.code, verdict=change.verdict, version=change.version, diff=list(change.changes)
    )


@router.get("/resources")
def resources(
    ledger: OpenLedger,
    actor: ReadCaller,
    paging: PageAsked,
    state: Annotated[str | None, Query(max_length=16)] = None,
) -> Page[catalogue.CatalogueEntryOut]:
    """The data list by code: what is published, the caller's own, and all to those who approve it."""
    rows = ledger.catalogue.data.page(paging.after, paging.one_more, state, actor)
    return paging.page(rows, lambda row: row.code, show)


@router.get("/resources/{code:path}")
def resource(code: CodePath, ledger: OpenLedger, actor: ReadCaller) -> catalogue.ResourceOut:
    """One resource: the newest version, or the published one to those who see no drafts."""
    return catalogue.ResourceOut(**ledger.catalogue.data.get(code, actor))


@router.get("/versions/{version}/{code:path}")
def version(version: Version, code: CodePath, ledger: OpenLedger, actor: ReadCaller) -> catalogue.VersionOut:
    """A description as it was at that version."""
    document = ledger.catalogue.data.document(code, version, actor)
    return catalogue.VersionOut(code=code, version=version, resource=document)


@router.get("/history/{code:path}")
def history(code: CodePath, ledger: OpenLedger, actor: ReadCaller) -> catalogue.HistoryOut:
    """Every move of a resource, oldest first."""
    return catalogue.HistoryOut(code=code, events=ledger.catalogue.data.history(code, actor))


@router.get("/diff/{code:path}")
def diff(code: CodePath, old: OfVersion, new: OfVersion, ledger: OpenLedger, actor: ReadCaller) -> catalogue.DiffOut:
    """What changed between two versions."""
    return catalogue.DiffOut(code=code, changes=ledger.catalogue.data.diff(code, old, new, actor))


@router.post("/submissions")
def submit(body: catalogue.CodeIn, ledger: OpenLedger, actor: ActCaller) -> catalogue.CatalogueEntryOut:
    """Hand the newest version in for signature; `blocked` if it is or matches important data without a review."""
    return show(ledger.catalogue.data.submit(actor, body.code))


@router.post("/reviews")
def review(body: catalogue.ReviewIn, ledger: OpenLedger, actor: ActCaller) -> catalogue.CatalogueEntryOut:
    """Record the review of important data; a block for it is lifted."""
    return show(ledger.catalogue.data.record_review(actor, body.code, body.report_digest))


@router.post("/blocks")
def block(body: catalogue.ReasonedIn, ledger: OpenLedger, actor: ActCaller) -> catalogue.CatalogueEntryOut:
    """Take a resource off every list until a review lifts it."""
    return show(ledger.catalogue.data.block(actor, body.code, body.reason))


@router.post("/retirements")
def retire(body: catalogue.ReasonedIn, ledger: OpenLedger, actor: ActCaller) -> catalogue.CatalogueEntryOut:
    """End an entry for good; its versions stay."""
    return show(ledger.catalogue.data.retire(actor, body.code, body.reason))


@router.post("/officers")
def appoint(body: catalogue.OfficerIn, ledger: OpenLedger, actor: ActCaller) -> catalogue.OfficerOut:
    """Appoint a department's chief data officer, as the authority."""
    ledger.catalogue.publications.appoint(actor, body.department, body.cdo)
    return catalogue.OfficerOut(department=body.department, cdo=body.cdo)


@router.post("/publications/draft")
def publication_draft(body: catalogue.CodeIn, ledger: OpenLedger, actor: ActCaller) -> schemas.DraftOut:
    """The unsigned publication of the newest version, for the department's chief data officer to sign."""
    return schemas.DraftOut(entry=ledger.catalogue.publications.draft(actor, body.code))


@router.post("/publications/signature")
def sign(body: schemas.StatementIn, ledger: OpenLedger, actor: ActCaller) -> catalogue.CatalogueEntryOut:
    """Record the chief data officer's signed publication."""
    return show(ledger.catalogue.publications.sign(actor, body.statement))


@router.post("/publications")
def publish(body: catalogue.CodeIn, ledger: OpenLedger, actor: ActCaller) -> catalogue.CatalogueEntryOut:
    """Show the signed version in the data list."""
    return show(ledger.catalogue.publications.publish(actor, body.code))


@router.post("/imports")
@Lane.IMPORTING
def import_table(body: catalogue.ImportIn, ledger: OpenLedger, actor: ActCaller) -> catalogue.ImportOut:
    """A table into the caller's data list: a report per row, and unless it is a dry run all rows or none."""
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
    """Where an entry stands."""
    return catalogue.CatalogueEntryOut(**asdict(entry))


def _bytes(text: str, where: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidInput("BASE64_INVALID", "This is not base64.", where=where) from error
