"""The web application of one ledger: the API under ``/v1``, and interactive docs at ``/docs``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager
from typing import Final

from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.concurrency import run_in_threadpool

from api.catalogue import catalogue, catalogue_lists
from api.certificates import certificates, status, verification
from api.http import problems
from api.http.heads import HeadAsGet
from api.http.limits import Limits
from api.http.openapi.document import SERVERS, describe, operation_id, tags
from api.http.readiness import Readiness
from api.http.routing import Gate
from api.parties import enrolments, keys, machine_keys, parties, proposals, sessions
from api.privacy import erasure
from api.provenance import log, provenance, readings
from api.registration import assets, registrations, rights
from api.rulebooks import scenarios
from api.usage import consents, holdings, provisions, requests, withdrawals
from ledger import __version__
from ledger.installation.background import TickingThread, work_check
from ledger.installation.participant import Participant
from ledger.installation.wiring import Ledger

SETTLING_SECONDS = 5.0
EXPIRY_SECONDS = 60.0
FOLLOWING_SECONDS = 1.0
DESCRIPTION = """数据资产凭证：签发、流转、核验。Issue, transfer and verify data asset certificates.

A holder of a bundle can verify the certificate without this service: see `ledger.proof`."""

# The routers, in the order in which the docs show them.
ROUTERS: Final = (
    sessions.router,
    machine_keys.router,
    enrolments.router,
    readings.router,
    parties.router,
    keys.router,
    proposals.router,
    scenarios.router,
    requests.router,
    consents.router,
    provisions.router,
    withdrawals.router,
    certificates.router,
    status.router,
    verification.router,
    erasure.router,
    holdings.router,
    assets.router,
    provenance.router,
    registrations.router,
    rights.router,
    catalogue_lists.router,
    catalogue_lists.demands,
    catalogue.router,
    log.router,
)


def create_app(open_ledger: Callable[[], AbstractContextManager[Participant]], limits: Limits | None = None) -> FastAPI:
    """Create the application. It opens the installation when it starts, and closes the installation when it ends."""

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

    # Serve all files of the pages at /docs from here: many installations have no internet access.
    app = FastAPIOffline(
        title="Pingzheng 凭证",
        version=__version__,
        description=DESCRIPTION,
        redoc_url=None,
        lifespan=lifespan,
        responses=problems.ERRORS,
        servers=SERVERS,
        openapi_tags=tags(),
        generate_unique_id_function=operation_id,
    )
    app.state.gate = Gate(limits or Limits())
    problems.install(app)
    app.add_middleware(HeadAsGet)
    for router in ROUTERS:
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
        work.append(TickingThread("withdrawals", ledger.usage.direct_withdrawals.follow, SETTLING_SECONDS))
        work.append(TickingThread("proposals", ledger.proposals.tick, SETTLING_SECONDS))
        work.append(TickingThread("transfers", ledger.registration.transfers.follow, SETTLING_SECONDS))
        work.append(TickingThread("expiry", ledger.usage.expiry.tick, EXPIRY_SECONDS))
    return work
