"""Requests: what a consumer asks, and the subject's yes or no."""

from __future__ import annotations

from fastapi import Response

from api.http import schemas
from api.http.access import ActCaller, OpenLedger, ReadCaller, require
from api.http.idempotency import Key, once
from api.http.paging import Page, PageAsked
from api.http.routing import Router
from api.usage import schemas as usage
from api.usage.consents import show as show_authorization
from ledger.domain.parties import Role
from ledger.errors import Forbidden
from ledger.installation.wiring import Ledger
from ledger.parties.permissions import Action
from ledger.parties.roles import Actor
from ledger.usage.recorded import RecordedRequest
from ledger.usage.request_notes import Note
from ledger.usage.request_terms import Terms
from ledger.usage.requests import Asked

router = Router(prefix="/requests", tags=["requests"])


@router.post("/draft")
def draft(body: usage.RequestDraftIn, ledger: OpenLedger, actor: ActCaller) -> usage.RequestDraftOut:
    """The request for the consumer to sign, with the note that goes with it; nothing is recorded."""
    _require_consumer(ledger, actor, body.consumer)
    terms = Terms(
        **body.model_dump(exclude={"fields", "note"}),
        fields=tuple(body.fields),
    )
    drafted = ledger.requests.draft(terms, Note(**body.note.model_dump()))
    return usage.RequestDraftOut(entry=drafted.entry, note=usage.SignedNote(**drafted.note))


@router.post("", status_code=201)
def ask(
    body: usage.RequestIn, ledger: OpenLedger, actor: ActCaller, response: Response, key: Key = None
) -> usage.RequestOut:
    """Record a signed request; the subject sees it at once."""
    _require_consumer(ledger, actor, str(body.statement.get("consumer")))

    def work() -> tuple[int, usage.RequestOut]:
        (row,) = ledger.requests.submit([Asked(body.statement, body.note.model_dump())])
        return 201, show(row)

    return usage.RequestOut(**once(ledger, actor, key, ("ask", body), response, work))


@router.get("")
def requests(
    ledger: OpenLedger, actor: ReadCaller, paging: PageAsked, state: str | None = None
) -> Page[usage.RequestOut]:
    """Requests that the caller made or received."""
    rows = ledger.requests.page(actor.party, paging.after, paging.one_more, state)
    return paging.page(rows, lambda row: row.id, show)


@router.get("/{request}")
def request(request: schemas.Ulid, ledger: OpenLedger, actor: ReadCaller) -> usage.RequestDetailOut:
    """One request and what was authorised; with the consumer's note for its subject and its consumer."""
    row = ledger.requests.get(request)
    own = not ledger.principals.of(actor).isdisjoint((row.subject, row.consumer))
    require(actor, Action.READ_LOG, owns=own)
    # What is sealed is not of the log that offices read.
    note = ledger.requests.note(request) if own else None
    return usage.RequestDetailOut(
        **show(row).model_dump(),
        entry=ledger.requests.statement(request),
        note=None if note is None else usage.SignedNote(**note),
        authorizations=[show_authorization(given) for given in ledger.authorizations.of_request(request)],
    )


@router.post("/{request}/decline")
def decline(request: schemas.Ulid, ledger: OpenLedger, actor: ActCaller) -> usage.RequestOut:
    """Say no, as the subject. It needs no reason and has no consequence elsewhere."""
    require(actor, Action.AUTHORISE, owns=ledger.requests.get(request).subject == actor.party)
    return show(ledger.requests.decline(request))


@router.post("/{request}/cancel")
def cancel(request: schemas.Ulid, ledger: OpenLedger, actor: ActCaller) -> usage.RequestOut:
    """Take a request back, as its consumer, before a certificate was issued."""
    _require_consumer(ledger, actor, ledger.requests.get(request).consumer)
    return show(ledger.requests.cancel(request))


def _require_consumer(ledger: Ledger, actor: Actor, consumer: str) -> None:
    """The caller is the consumer, or a broker with its mandate."""
    require(actor, Action.REQUEST_DATA, owns=True)
    if actor.party == consumer:
        return
    if Role.BROKER not in actor.roles:
        raise Forbidden("NOT_A_MEMBER", "Only the consumer or its broker makes a request.", where="consumer")
    ledger.mandates.require(consumer, actor.party)


def show(row: RecordedRequest) -> usage.RequestOut:
    """A request."""
    return usage.RequestOut(
        id=row.id,
        digest=row.digest,
        scenario=row.scenario,
        subject=row.subject,
        consumer=row.consumer,
        state=row.state,
        expires_at=row.expires_at,
        created_at=row.created_at,
    )
