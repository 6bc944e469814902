"""Authorizations by subjects, and what providers supply under them."""

from __future__ import annotations

from datetime import date

from fastapi import APIRouter, Response

from api import schemas
from api.access import Caller, OpenLedger, require
from api.idempotency import Key, once
from api.paging import Cursor, Limit, Page, decode, page
from ledger.domain.parties import Role
from ledger.domain.permissions import Action
from ledger.errors import Forbidden, InvalidInput
from ledger.service.authorizations import AuthorizationRequest
from ledger.service.provisions import Supply
from ledger.store.tables import Authorization

router = APIRouter(tags=["authorizations"])


@router.post("/authorizations/draft")
def draft(body: schemas.AuthorizationDraftIn, ledger: OpenLedger, actor: Caller) -> schemas.DraftOut:
    """The notice to show the subject and the statement for it to sign; nothing is recorded."""
    if actor.party == body.subject:
        require(actor, Action.AUTHORISE, owns=True)
    else:
        require(actor, Action.REQUEST_DATA, owns=True)
        if actor.party != body.consumer and Role.BROKER in actor.roles:
            ledger.mandates.require(body.consumer, actor.party)
        elif actor.party != body.consumer:
            raise Forbidden("NOT_A_MEMBER", "Only the consumer, its broker or the subject drafts an authorization.")
    drafted = ledger.authorizations.draft(
        AuthorizationRequest(
            scenario=body.scenario,
            subject=body.subject,
            consumer=body.consumer,
            providers=tuple(body.providers),
            fields=tuple(body.fields),
            valid_from=body.valid_from,
            valid_to=body.valid_to,
            max_uses=body.max_uses,
            channel=body.channel,
        )
    )
    return schemas.DraftOut(entry=drafted.entry, notice=drafted.notice)


@router.post("/authorizations", status_code=201)
def authorise(
    body: schemas.StatementIn, ledger: OpenLedger, actor: Caller, response: Response, key: Key = None
) -> schemas.AuthorizationOut:
    """Record a signed authorization."""
    require(actor, Action.AUTHORISE, owns=body.statement.get("subject") == actor.party)

    def work() -> tuple[int, schemas.AuthorizationOut]:
        (row,) = ledger.authorizations.submit([body.statement])
        return 201, show(row)

    return schemas.AuthorizationOut(**once(ledger, actor, key, ("authorise", body), response, work))


@router.get("/authorizations")
def authorizations(
    ledger: OpenLedger, actor: Caller, limit: Limit = 50, cursor: Cursor = None
) -> Page[schemas.AuthorizationOut]:
    """Authorizations that the caller gave or received."""
    rows = ledger.authorizations.page(actor.party, decode(cursor), limit + 1)
    return page(rows, limit, lambda row: row.id, show)


@router.get("/authorizations/{authorization}")
def authorization(authorization: schemas.Ulid, ledger: OpenLedger, actor: Caller) -> schemas.AuthorizationOut:
    """One authorization, for its subject, its consumer and those who read the full log."""
    row = ledger.authorizations.get(authorization)
    require(actor, Action.READ_LOG, owns=not ledger.principals.of(actor).isdisjoint((row.subject, row.consumer)))
    return show(row)


@router.get("/authorizations/{authorization}/withdrawal")
def withdrawal_draft(authorization: schemas.Ulid, ledger: OpenLedger, actor: Caller) -> schemas.DraftOut:
    """The unsigned withdrawal, for the subject to sign."""
    require(actor, Action.AUTHORISE, owns=ledger.authorizations.get(authorization).subject == actor.party)
    return schemas.DraftOut(entry=ledger.authorizations.withdrawal_draft(authorization))


@router.post("/authorizations/{authorization}/withdrawal")
def withdraw(
    authorization: schemas.Ulid, body: schemas.StatementIn, ledger: OpenLedger, actor: Caller
) -> schemas.AuthorizationOut:
    """Withdraw: the next verification of what rests on it fails."""
    require(actor, Action.AUTHORISE, owns=ledger.authorizations.get(authorization).subject == actor.party)
    return show(ledger.authorizations.withdraw(body.statement))


@router.post("/provisions/draft", tags=["provisions"])
def provision_draft(body: schemas.ProvisionDraftIn, ledger: OpenLedger, actor: Caller) -> schemas.DraftOut:
    """The unsigned provision over these rows; nothing is recorded."""
    require(actor, Action.SUPPLY_DATA, owns=True)
    try:
        as_of = date.fromisoformat(body.as_of)
    except ValueError as error:
        raise InvalidInput("DATE_INVALID", "There is no such day.", where="as_of") from error
    entry = ledger.provisions.draft(body.authorization, actor.party, body.rows, as_of=as_of, result=body.result)
    return schemas.DraftOut(entry=entry)


@router.post("/provisions", status_code=201, tags=["provisions"])
def supply(
    body: schemas.ProvisionIn, ledger: OpenLedger, actor: Caller, response: Response, key: Key = None
) -> schemas.ProvisionOut:
    """Supply under an authorization; the rows are used to compute the claims and not kept."""
    require(actor, Action.SUPPLY_DATA, owns=body.statement.get("provider") == actor.party)

    def work() -> tuple[int, schemas.ProvisionOut]:
        (row,) = ledger.provisions.submit([Supply(body.statement, body.rows)])
        return 201, schemas.ProvisionOut(
            id=row.id, authorization=row.authorization_id, provider=row.provider, result=row.result
        )

    return schemas.ProvisionOut(**once(ledger, actor, key, ("supply", body), response, work))


@router.get("/provisions/{provision}/claims", tags=["provisions"])
def claims(provision: schemas.Ulid, ledger: OpenLedger, actor: Caller) -> schemas.PayloadOut:
    """What was computed from what the caller supplied."""
    row, computed = ledger.provisions.claims(provision)
    require(actor, Action.SEE_PAYLOAD, owns=row.provider == actor.party)
    return schemas.PayloadOut(claims=computed)


def show(row: Authorization) -> schemas.AuthorizationOut:
    """An authorization."""
    return schemas.AuthorizationOut(
        id=row.id,
        scenario=row.scenario,
        subject=row.subject,
        consumer=row.consumer,
        state=row.state,
        created_at=row.created_at,
    )
