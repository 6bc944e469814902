"""The log: head, batches, entries' proofs; health and readiness."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response

from api import schemas
from api.access import AnyInstallation, Caller, OpenLedger, require
from api.paging import Cursor, Limit, Page, decode, page
from ledger.domain.permissions import Action
from ledger.errors import InvalidInput

router = APIRouter(tags=["log"])

Seq = Annotated[int, Path(ge=0, lt=2**53)]


@router.get("/log/head")
def head(ledger: AnyInstallation) -> schemas.HeadOut:
    """The log's head on the chain, and whether the indexed history folds to it. Public."""
    return schemas.HeadOut(**ledger.inspection.head())


@router.get("/log/batches/{number}")
def batch(number: Seq, ledger: OpenLedger) -> schemas.HeadOut:
    """A batch: range, root, anchor. Public: it reveals nothing but counts and hashes."""
    return schemas.HeadOut(**ledger.inspection.batch(number))


@router.get("/log/entries")
def entries(ledger: OpenLedger, actor: Caller, limit: Limit = 50, cursor: Cursor = None) -> Page[schemas.EntryOut]:
    """The log in order, for those who read all of it; what is sealed is not in it."""
    rows = ledger.log_entries.page(actor, _after(decode(cursor)), limit + 1)
    return page(rows, limit, lambda row: str(row["seq"]), lambda row: schemas.EntryOut(**row))


@router.get("/log/entries/{seq}")
def entry(seq: Seq, ledger: OpenLedger, actor: Caller) -> schemas.EntryOut:
    """One entry, for those whom it concerns too."""
    return schemas.EntryOut(**ledger.log_entries.get(actor, seq))


@router.get("/log/entries/{seq}/proof")
def proof(seq: Seq, ledger: OpenLedger, actor: Caller) -> schemas.HeadOut:
    """The inclusion proof of an entry in its batch."""
    require(actor, Action.VERIFY, owns=True)
    return schemas.HeadOut(**ledger.inspection.proof(seq))


def _after(key: str | None) -> int:
    if key is None:
        return -1
    if not key.isascii() or not key.isdigit() or len(key) > 16:
        raise InvalidInput("CURSOR_INVALID", "This is no cursor of ours.", where="cursor")
    return int(key)


health = APIRouter(tags=["health"])


@health.get("/health")
def alive() -> schemas.HealthOut:
    """The process answers."""
    return schemas.HealthOut(status="ok")


@health.get("/ready")
def ready(ledger: AnyInstallation, response: Response) -> schemas.HealthOut:
    """Chain, database and index are in order; the lag says how far each is behind."""
    checks = ledger.inspection.readiness()
    fine = all(check["ok"] for check in checks.values())
    response.status_code = 200 if fine else 503
    return schemas.HealthOut(status="ready" if fine else "not ready", checks=checks)
