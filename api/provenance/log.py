"""The ledger's name, and the log: head, batches, entries' proofs; health and readiness."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Request
from fastapi.responses import JSONResponse

from api.http import schemas
from api.http.access import AnyInstallation, OpenLedger, ReadCaller, require
from api.http.paging import Page, PageAsked
from api.http.problems import answers, problem
from api.http.readiness import Readiness
from api.http.routing import Lane, Router
from ledger.parties.permissions import Action

router = Router(tags=["log"])

Seq = Annotated[int, Path(ge=0, lt=2**53)]


@router.get("/ledger")
def name(ledger: AnyInstallation) -> schemas.LedgerOut:
    """The chain, the contracts and the past that everything here is signed for. Public.

    Compare it with what you were given by somebody else than this service, and sign for no other ledger.
    """
    chain = ledger.reader.chain
    return schemas.LedgerOut(ledger=chain.ledger, chain=schemas.ChainOut(**chain.to_dict()))


@router.get("/log/head")
@Lane.INSPECTING
def head(ledger: AnyInstallation) -> schemas.HeadOut:
    """The log's head on the chain, whether the indexed history folds to it, and each issuer's log. Public."""
    return schemas.HeadOut(**ledger.inspection.head())


@router.get("/log/batches/{number}")
def batch(number: Seq, ledger: OpenLedger) -> schemas.HeadOut:
    """A batch of the platform's own log: range, root, anchor. Public: it reveals nothing but counts and hashes."""
    return schemas.HeadOut(**ledger.inspection.batch(number))


@router.get("/log/entries")
def entries(ledger: OpenLedger, actor: ReadCaller, paging: PageAsked) -> Page[schemas.LogEntryOut]:
    """The log in order, for those who read all of it; what is sealed is not in it."""
    rows = ledger.log_entries.page(actor, paging.place.after_number, paging.one_more)
    return paging.page(rows, lambda row: str(row["seq"]), lambda row: schemas.LogEntryOut(**row))


@router.get("/log/entries/{seq}")
def entry(seq: Seq, ledger: OpenLedger, actor: ReadCaller) -> schemas.LogEntryOut:
    """One entry, for those whom it concerns too."""
    return schemas.LogEntryOut(**ledger.log_entries.get(actor, seq))


@router.get("/log/entries/{seq}/proof")
def proof(seq: Seq, ledger: OpenLedger, actor: ReadCaller) -> schemas.HeadOut:
    """The inclusion proof of an entry in its batch."""
    require(actor, Action.VERIFY, owns=True)
    return schemas.HeadOut(**ledger.inspection.proof(seq))


health = Router(tags=["health"])


# Both are asynchronous: they take no turn, and no worker thread of those that calls work in.
@health.get("/health")
async def alive() -> schemas.HealthOut:
    """The process answers, whatever else it does. Public."""
    return schemas.HealthOut(status="ok")


@health.get("/ready", response_model=schemas.ReadyOut, responses=answers({503: ["NOT_READY"]}))
async def ready(request: Request, ledger: AnyInstallation) -> schemas.ReadyOut | JSONResponse:
    """Database, deployment file and node are of one ledger, and all parts are in order. Public.

    If not: 503, with what each check found in `details.checks`. Answers are a second old at most.
    """
    readiness: Readiness = request.app.state.readiness
    checks = await readiness.checks()
    if not all(check["ok"] for check in checks.values()):
        return problem(
            503,
            "未就绪 Not ready",
            "NOT_READY",
            "A part of this installation is not in order.",
            hint="See `details.checks`: each part that is not in order gives its code.",
            details={"checks": checks},
        )
    block = checks["chain"]["block"]
    return schemas.ReadyOut(status="ready", ledger=ledger.reader.chain.ledger, block=block, checks=checks)
