"""Requests: a consumer requests data, and the subject agrees or declines."""

from __future__ import annotations

from dataclasses import asdict

from fastapi import Response

from api.http import schemas
from api.http.access import ActCaller, OpenLedger, ReadCaller
from api.http.idempotency import Key, once
from api.http.paging import Page, PageAsked
from api.http.routing import Router
from api.usage import schemas as usage
from api.usage.consents import show as show_authorization
from ledger.usage.recorded import RecordedRequest
from ledger.usage.request_notes import Note
from ledger.usage.request_terms import Terms
from ledger.usage.requests import Asked

router = Router(prefix="/requests", tags=["requests"])


@router.post("/draft")
def draft(body: usage.RequestDraftIn, ledger: OpenLedger, actor: ActCaller) -> usage.RequestDraftOut:
    """Return the unsigned request and its note, for the consumer to sign; nothing is recorded."""
    terms = Terms(**body.model_dump(exclude={"fields", "note"}), fields=tuple(body.fields))
    drafted = ledger.usage.consumer_acts.draft(actor, terms, Note(**body.note.model_dump()))
    return usage.RequestDraftOut(entry=drafted.entry, note=usage.SignedNote(**drafted.note))


@router.post("", status_code=201)
def ask(
    body: usage.RequestIn, ledger: OpenLedger, actor: ActCaller, response: Response, key: Key = None
) -> usage.RequestOut:
    """Record a signed request; the subject can see it at once."""

    def work() -> tuple[int, usage.RequestOut]:
        (row,) = ledger.usage.consumer_acts.ask(actor, [Asked(body.statement, body.note.model_dump())])
        return 201, show(row)

    return usage.RequestOut(**once(ledger, actor, key, ("ask", body), response, work))


@router.get("")
def requests(
    ledger: OpenLedger, actor: ReadCaller, paging: PageAsked, state: str | None = None
) -> Page[usage.RequestOut]:
    """List requests that the caller made or received."""
    rows = ledger.usage.requests.page(actor.party, paging.after, paging.one_more, state)
    return paging.page(rows, lambda row: row.id, show)


@router.get("/{request}")
def request(request: schemas.Ulid, ledger: OpenLedger, actor: ReadCaller) -> usage.RequestDetailOut:
    """Return one request and its authorizations; subject and consumer also get the consumer's note."""
    found = ledger.usage.own_statements.request(actor, request)
    return usage.RequestDetailOut(
        **show(found.request).model_dump(),
        entry=found.entry,
        note=None if found.note is None else usage.SignedNote(**found.note),
        authorizations=[show_authorization(given) for given in found.authorizations],
    )


@router.post("/{request}/decline")
def decline(request: schemas.Ulid, ledger: OpenLedger, actor: ActCaller) -> usage.RequestOut:
    """Decline a request, as its subject. The subject need not give a reason. Other requests to the subject, and
    services for the subject, are not affected.
    """
    return show(ledger.usage.subject_acts.decline(actor, request))


@router.post("/{request}/cancel")
def cancel(request: schemas.Ulid, ledger: OpenLedger, actor: ActCaller) -> usage.RequestOut:
    """Cancel a request, as its consumer, before a certificate is issued."""
    return show(ledger.usage.consumer_acts.cancel(actor, request))


def show(row: RecordedRequest) -> usage.RequestOut:
    return usage.RequestOut(**asdict(row))
