"""The web application of one ledger: the API under ``/v1``, and interactive docs at ``/docs``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractContextManager, asynccontextmanager
from typing import Final

from anyio.to_thread import current_default_thread_limiter
from fastapi import APIRouter, FastAPI
from fastapi_offline import FastAPIOffline
from starlette.concurrency import run_in_threadpool

from api.catalogue import catalogue, catalogue_lists
from api.certificates import certificates, status, verification
from api.http import problems
from api.http.heads import HeadAsGet
from api.http.limits import Limits
from api.http.openapi.document import SERVERS, describe, operation_id
from api.http.readiness import Readiness
from api.http.routing import Gate
from api.parties import enrolments, keys, machine_keys, parties, proposals, sessions
from api.privacy import erasure
from api.provenance import log, provenance, readings
from api.registration import assets, registrations, rights
from api.rulebooks import scenarios
from api.usage import batches, consents, holdings, provisions, requests, withdrawals
from ledger import __version__
from ledger.installation.background import TickingThread, work_check
from ledger.installation.participant import Participant
from ledger.installation.wiring import Ledger

SETTLING_SECONDS = 5.0
EXPIRY_SECONDS = 60.0
FOLLOWING_SECONDS = 1.0
DESCRIPTION = """数据资产凭证：签发、流转、核验。Issue, transfer and verify data asset certificates.

A holder of a bundle can verify the certificate without this service: see `ledger.proof`."""

# For each tag (a group of routes in the docs): its description, then its routers under /v1. A tag without a router is
# for single routes, each of which names the tag where it is defined.
TAGS: Final[Mapping[str, tuple[str, *tuple[APIRouter, ...]]]] = {
    "sessions": ("登录与会话。A party signs in with its own key, and lists and ends its sessions.", sessions.router),
    "API keys": ("程序密钥。API keys that a party creates for its programs.", machine_keys.router),
    "enrolments": ("首个密钥。A party submits its first key with an enrolment code.", enrolments.router),
    "readings": ("查阅记录。List the parties that received a subject's data.", readings.router),
    "parties": ("参与方。Register parties, their roles, status and mandates.", parties.router),
    "keys": ("签名密钥。Rotate, report and recover a party's keys.", keys.router),
    "proposals": (
        "提案。Acts that wait for another institution or for the waiting period; pauses of the ledger.",
        proposals.router,
    ),
    "scenarios": ("场景。Scenarios in force, drafts and their approval.", scenarios.router),
    "requests": ("用数申请。A consumer asks for a subject's data.", requests.router),
    "authorizations": ("授权。A subject authorises a request.", consents.router),
    "provisions": ("提供。A provider answers under an authorization.", provisions.router),
    "withdrawals": ("撤回。Withdraw an authorization or a provision.", withdrawals.router),
    "certificates": ("凭证。Issue, correct and fetch certificates and bundles.", certificates.router),
    "operations": ("受理的操作。The progress and the results of accepted operations.", batches.router),
    "status": ("凭证状态。Revoke, suspend, resume and supersede certificates.", status.router),
    "holds": ("冻结。An authority or a supervisor holds (freezes) statements, and lifts its holds.",),
    "verification": ("核验。Verify certificates; present and use them.", verification.router),
    "erasure": ("删除。Erase the sealed texts of a certificate or a party.", erasure.router),
    "holdings": ("归集。Count and export a party's own certificates.", holdings.router),
    "assets": ("数据资产。Register, transfer, freeze and annul assets.", assets.router),
    "provenance": ("溯源。An asset's history and lineage.", provenance.router),
    "registrations": ("确权登记。Applications, review, public notice and objections.", registrations.router),
    "rights": ("权利。Rights, liens, assessments and lineage of an asset.", rights.router),
    "catalogue": ("数据目录。Systems, resources and their review.", catalogue_lists.router, catalogue.router),
    "open data": ("开放目录。Data that is open to everyone.",),
    "demands": ("数据需求。Demands, their matching and appeals.", catalogue_lists.demands),
    "log": ("存证日志。The identity of the ledger; the log's head, batches, entries and proofs.", log.router),
    "health": ("运行状况。Check that the process answers and that all parts are ready.",),
}


def create_app(open_ledger: Callable[[], AbstractContextManager[Participant]], limits: Limits | None = None) -> FastAPI:
    """Create the application, which opens the installation when it starts, and closes the installation when it ends."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        current_default_thread_limiter().total_tokens = app.state.gate.limits.threads
        # Build the schema before the first request: building it during a request would block the event loop.
        await run_in_threadpool(app.openapi)
        context = open_ledger()
        ledger = await run_in_threadpool(context.__enter__)
        app.state.ledger = ledger
        work = _background(ledger)
        for thread in work:
            thread.start()
        app.state.readiness = Readiness(lambda: ledger.inspection.readiness() | {"work": work_check(work)})
        try:
            yield
        finally:
            app.state.readiness.close()
            for thread in work:
                await run_in_threadpool(thread.stop)
            await run_in_threadpool(context.__exit__, None, None, None)

    # This service itself serves all files of the pages at /docs, because many installations have no internet access.
    app = FastAPIOffline(
        title="Pingzheng 凭证",
        version=__version__,
        description=DESCRIPTION,
        redoc_url=None,
        lifespan=lifespan,
        responses=problems.ERRORS,
        servers=SERVERS,
        openapi_tags=[{"name": name, "description": text} for name, (text, *_) in TAGS.items()],
        generate_unique_id_function=operation_id,
    )
    app.state.gate = Gate(limits or Limits())
    problems.install(app)
    app.add_middleware(HeadAsGet)
    for _, *routers in TAGS.values():
        for router in routers:
            app.include_router(router, prefix="/v1")
    app.include_router(log.health)
    describe(app)
    return app


def _background(ledger: Participant) -> list[TickingThread]:
    work = [
        TickingThread("settling", ledger.verification.settle, SETTLING_SECONDS),
        # Keep the index up to date with the chain, because every call reads the caller's key and roles from the index.
        TickingThread("following", ledger.follower.sync, FOLLOWING_SECONDS),
        TickingThread("records", ledger.flush, FOLLOWING_SECONDS),
    ]
    if isinstance(ledger, Ledger):
        work.append(TickingThread("anchoring", ledger.anchoring.tick))
        work.append(TickingThread("batches", ledger.usage.batch_runner.tick))
        work.append(TickingThread("withdrawals", ledger.usage.direct_withdrawals.follow, SETTLING_SECONDS))
        work.append(TickingThread("proposals", ledger.proposals.tick, SETTLING_SECONDS))
        work.append(TickingThread("transfers", ledger.registration.transfers.follow, SETTLING_SECONDS))
        work.append(TickingThread("expiry", ledger.usage.expiry.tick, EXPIRY_SECONDS))
    return work
