"""What providers answer under authorizations: tasks out, signed answers in."""

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
    """What waits for the caller's answer, with all that it needs to check it: also who the subjects are."""
    found = ledger.usage.provider_acts.tasks(actor, paging.after, paging.one_more)
    return paging.page(found, lambda task: str(task.authorization["id"]), show)


@router.get("/tasks/{authorization}")
def task(authorization: schemas.Ulid, ledger: OpenLedger, actor: PayloadCaller) -> provisions.TaskOut:
    """The task of one authorization; where the caller has supplied before, that of correcting it."""
    return show(ledger.usage.provider_acts.task(actor, authorization))


@router.get("/erasures")
def erasures(ledger: OpenLedger, actor: ReadCaller, paging: PageAsked) -> provisions.ErasuresOut:
    """Erasures about subjects whom the caller was asked about: it destroys what it keeps of them."""
    found = ledger.usage.provider_acts.erasures(actor, paging.place.after_number, paging.limit)
    following = paging.place.cursor(str(found[-1][0])) if found else None
    return provisions.ErasuresOut(items=[entry for _, entry in found], next_cursor=following)


@router.post("", status_code=201)
def supply(
    body: provisions.ProvisionIn, ledger: OpenLedger, actor: ActCaller, response: Response, key: Key = None
) -> provisions.ProvisionOut:
    """Answer under an authorization; the rows stay with the provider."""
    act = None if body.withdrawal is None else bytes.fromhex(body.withdrawal)
    answer = Supply(body.statement, tuple(body.disclosures), act, body.withdrawn)

    def work() -> tuple[int, provisions.ProvisionOut]:
        row = ledger.usage.provider_acts.supply(actor, answer)
        return 201, provisions.ProvisionOut(authorization=row.authorization_id, **asdict(row))

    return provisions.ProvisionOut(**once(ledger, actor, key, ("supply", body), response, work))


@router.get("/{provision}/claims")
def claims(provision: schemas.Ulid, ledger: OpenLedger, actor: PayloadCaller) -> schemas.PayloadOut:
    """The claims that the caller supplied; recorded to their subject as a reading."""
    subject, computed = ledger.usage.provider_acts.claims(actor, provision)
    if computed:
        ledger.readings.note(actor, How.ANSWER, None, subject, computed)
    return schemas.PayloadOut(claims=computed)


def show(found: Task) -> provisions.TaskOut:
    """A task."""
    return provisions.TaskOut(**found.to_dict())
