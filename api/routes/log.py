"""The log: head, batches, entries' proofs; health and readiness."""

from __future__ import annotations

from fastapi import APIRouter, Response

from api import schemas
from api.access import Caller, OpenLedger, require
from ledger.domain.permissions import Action

router = APIRouter(tags=["log"])


@router.get("/log/head")
def head(ledger: OpenLedger) -> schemas.HeadOut:
    """The log's head on the chain, and whether the indexed history folds to it. Public."""
    return schemas.HeadOut(**ledger.inspection.head())


@router.get("/log/batches/{number}")
def batch(number: int, ledger: OpenLedger) -> schemas.HeadOut:
    """A batch: range, root, anchor. Public: it reveals nothing but counts and hashes."""
    return schemas.HeadOut(**ledger.inspection.batch(number))


@router.get("/log/entries/{seq}/proof")
def proof(seq: int, ledger: OpenLedger, actor: Caller) -> schemas.HeadOut:
    """The inclusion proof of an entry in its batch."""
    require(actor, Action.VERIFY, owns=True)
    return schemas.HeadOut(**ledger.inspection.proof(seq))


health = APIRouter(tags=["health"])


@health.get("/health")
def alive() -> schemas.HealthOut:
    """The process answers."""
    return schemas.HealthOut(status="ok")


@health.get("/ready")
def ready(ledger: OpenLedger, response: Response) -> schemas.HealthOut:
    """Chain, database and index are in order; the lag says how far each is behind."""
    checks = ledger.inspection.readiness()
    fine = all(check["ok"] for check in checks.values())
    response.status_code = 200 if fine else 503
    return schemas.HealthOut(status="ready" if fine else "not ready", checks=checks)
