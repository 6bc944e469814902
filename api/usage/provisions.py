"""Providers answer authorizations: they get tasks and submit signed answers."""

from __future__ import annotations

from dataclasses import asdict

from fastapi import Response

from api.http import schemas
from api.http.access import ActCaller, OpenLedger, PayloadCaller, ReadCaller
from api.http.idempotency import Key, once
from api.http.paging import Page, PageAsked
from api.http.routing import Router
from api.usage import provision_schemas as provisions
from ledger.provenance.readings import How
from ledger.provider.supply import Supply
from ledger.provider.task import Task

router = Router(prefix="/provisions", tags=["provisions"])


@router.get("/tasks")
def tasks(ledger: OpenLedger, actor: PayloadCaller, paging: PageAsked) -> Page[provisions.TaskOut]:
    """List the tasks that the caller has not answered, with all data needed to check them. A task contains the
    subject's identifier.
    """
    found = ledger.usage.provider_acts.tasks(actor, paging.after, paging.one_more)
    return paging.page(found, lambda task: str(task.authorization["id"]), show)


@router.get("/tasks/{authorization}")
def task(authorization: schemas.Ulid, ledger: OpenLedger, actor: PayloadCaller) -> provisions.TaskOut:
    """Return the task of one authorization. If the caller has already supplied data, the task is a correction."""
    return show(ledger.usage.provider_acts.task(actor, authorization))


@router.get("/erasures")
def erasures(ledger: OpenLedger, actor: ReadCaller, paging: PageAsked) -> provisions.ErasuresOut:
    """List the erased subjects for whom the caller had tasks. The caller must delete its records of these subjects."""
    found = ledger.usage.provider_acts.erasures(actor, paging.place.after_number, paging.limit)
    following = paging.place.cursor(str(found[-1][0])) if found else None
    return provisions.ErasuresOut(items=[entry for _, entry in found], next_cursor=following)


@router.post("", status_code=201)
def supply(
    body: provisions.ProvisionIn, ledger: OpenLedger, actor: ActCaller, response: Response, key: Key = None
) -> provisions.ProvisionOut:
    """Answer an authorization. The rows stay with the provider."""
    act = None if body.withdrawal is None else bytes.fromhex(body.withdrawal)
    answer = Supply(body.statement, tuple(body.disclosures), act, body.withdrawn)

    def work() -> tuple[int, provisions.ProvisionOut]:
        (row,) = ledger.usage.provider_acts.supply(actor, [answer])
        return 201, provisions.ProvisionOut(authorization=row.authorization_id, **asdict(row))

    return provisions.ProvisionOut(**once(ledger, actor, key, ("supply", body), response, work))


@router.get("/{provision}/claims")
def claims(provision: schemas.Ulid, ledger: OpenLedger, actor: PayloadCaller) -> schemas.PayloadOut:
    """Return the claims that the caller supplied. The reading is recorded, and the subject can see the record."""
    subject, computed = ledger.usage.provider_acts.claims(actor, provision)
    if computed:
        ledger.readings.note(actor, How.ANSWER, None, subject, computed)
    return schemas.PayloadOut(claims=computed)


def show(found: Task) -> provisions.TaskOut:
    return provisions.TaskOut(**found.to_dict())
