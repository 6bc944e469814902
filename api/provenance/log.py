"""Routes that identify the ledger, return the log (head, batches, entries, proofs), and report health and readiness."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Request
from fastapi.responses import JSONResponse

from api.http import schemas
from api.http.access import AnyInstallation, OpenLedger, ReadCaller
from api.http.paging import Page, PageAsked
from api.http.problems import answers, problem
from api.http.readiness import Readiness
from api.http.routing import Lane, Router

router = Router(tags=["log"])

Seq = Annotated[int, Path(ge=0, lt=2**53)]


@router.get("/ledger")
def name(ledger: AnyInstallation) -> schemas.LedgerOut:
    """Return the chain, the contracts and the origin that identify this ledger in every signature. Public.

    Compare these values with values that you did not get from this service, and sign for no other ledger.
    """
    chain = ledger.reader.chain
    return schemas.LedgerOut(ledger=chain.ledger, chain=schemas.ChainOut(**chain.to_dict()))


@router.get("/log/head")
@Lane.INSPECTING
def head(ledger: AnyInstallation) -> schemas.HeadOut:
    """Return the log's head on the chain, whether the hash chain over the indexed events ends in this head, and the
    length of each issuer's log. Public.
    """
    return schemas.HeadOut(**ledger.inspection.head())


@router.get("/log/batches/{number}")
def batch(number: Seq, ledger: OpenLedger) -> schemas.HeadOut:
    """Return a batch of the platform's log: its range, root and anchor.

    Public, because a batch has only counts and hashes.
    """
    return schemas.HeadOut(**ledger.inspection.batch(number))


@router.get("/log/entries")
def entries(ledger: OpenLedger, actor: ReadCaller, paging: PageAsked) -> Page[schemas.LogEntryOut]:
    """List the log entries in order, without sealed texts. Only parties that may read the full log may call this."""
    rows = ledger.log_entries.page(actor, paging.place.after_number, paging.one_more)
    return paging.page(rows, lambda row: str(row["seq"]), lambda row: schemas.LogEntryOut(**row))


@router.get("/log/entries/{seq}")
def entry(seq: Seq, ledger: OpenLedger, actor: ReadCaller) -> schemas.LogEntryOut:
    """Return one log entry, to parties that may read the full log and to the parties of the entry."""
    return schemas.LogEntryOut(**ledger.log_entries.get(actor, seq))


@router.get("/log/entries/{seq}/proof")
def proof(seq: Seq, ledger: OpenLedger, actor: ReadCaller) -> schemas.HeadOut:
    """Return the inclusion proof of an entry in its batch."""
    return schemas.HeadOut(**ledger.inspection.proof(actor, seq))


health = Router(tags=["health"])


# The routes ``/health`` and ``/ready`` are asynchronous, so that they answer even while all worker threads are busy.
@health.get("/health")
async def alive() -> schemas.HealthOut:
    """Report that the process answers. Public."""
    return schemas.HealthOut(status="ok")


@health.get("/ready", response_model=schemas.ReadyOut, responses=answers({503: ["NOT_READY"]}))
async def ready(request: Request, ledger: AnyInstallation) -> schemas.ReadyOut | JSONResponse:
    """Report whether all parts work, and whether database, deployment file and node belong to one ledger. Public.

    If a check fails, the answer is 503, with the result of each check in `details.checks`. Results are at most one
    second old.
    """
    readiness: Readiness = request.app.state.readiness
    checks = await readiness.checks()
    if not all(check["ok"] for check in checks.values()):
        return problem(
            503,
            "未就绪 Not ready",
            "NOT_READY",
            "A part of this installation is not in order.",
            hint="See `details.checks` for the error code of each part.",
            details={"checks": checks},
        )
    block = checks["chain"]["block"]
    return schemas.ReadyOut(status="ready", ledger=ledger.reader.chain.ledger, block=block, checks=checks)
