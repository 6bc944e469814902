"""Authorizations: the subject reads a notice for each source, then signs an authorization for each source."""

from __future__ import annotations

from dataclasses import asdict

from fastapi import Response

from api.http import schemas
from api.http.access import ActCaller, OpenLedger, ReadCaller
from api.http.idempotency import Key, once
from api.http.paging import Page, PageAsked
from api.http.routing import Router
from api.usage import schemas as usage
from ledger.proof.jws import Jwk
from ledger.usage.authorizations import Choice
from ledger.usage.recorded import RecordedAuthorization

router = Router(tags=["authorizations"])


@router.post("/requests/{request}/authorizations/draft")
def draft(request: schemas.Ulid, body: usage.ChoiceIn, ledger: OpenLedger, actor: ActCaller) -> usage.DraftsOut:
    """Return the notices that the subject must read and the statements to sign. This also records that the subject has
    seen the request.
    """
    choice = Choice(
        fields=None if body.fields is None else tuple(body.fields),
        valid_to=body.valid_to,
        max_uses=body.max_uses,
        separate_consent=body.separate_consent,
        holder_key=None if body.holder_key is None else Jwk.from_dict(body.holder_key.model_dump()),
    )
    drafted = ledger.usage.subject_acts.draft(actor, request, choice)
    return usage.DraftsOut(drafts=[schemas.DraftOut(entry=each.entry, notice=each.notice) for each in drafted])


@router.post("/authorizations", status_code=201)
def authorise(
    body: usage.StatementsIn, ledger: OpenLedger, actor: ActCaller, response: Response, key: Key = None
) -> usage.AuthorizationsOut:
    """Record the signed authorizations of one request. If one authorization is refused, none is recorded."""

    def work() -> tuple[int, usage.AuthorizationsOut]:
        rows = ledger.usage.subject_acts.authorise(actor, body.statements)
        return 201, usage.AuthorizationsOut(authorizations=[show(row) for row in rows])

    return usage.AuthorizationsOut(**once(ledger, actor, key, ("authorise", body), response, work))


@router.get("/authorizations")
def authorizations(ledger: OpenLedger, actor: ReadCaller, paging: PageAsked) -> Page[usage.AuthorizationOut]:
    """List authorizations in which the caller is subject, consumer or provider."""
    rows = ledger.usage.authorizations.page(actor.party, paging.after, paging.one_more)
    return paging.page(rows, lambda row: row.id, show)


@router.get("/authorizations/{authorization}")
def authorization(authorization: schemas.Ulid, ledger: OpenLedger, actor: ReadCaller) -> usage.AuthorizationOut:
    """Return one authorization, for its subject, consumer and provider, and for readers of the full log."""
    return show(ledger.usage.own_statements.authorization(actor, authorization))


@router.get("/authorizations/{authorization}/notice")
def notice(authorization: schemas.Ulid, ledger: OpenLedger, actor: ReadCaller) -> dict[str, object]:
    """Return, word for word, the notice that the subject was shown. Only subject, consumer and provider may read the
    notice.
    """
    return ledger.usage.own_statements.notice(actor, authorization)


def show(row: RecordedAuthorization) -> usage.AuthorizationOut:
    return usage.AuthorizationOut(request=row.request_id, **asdict(row))
