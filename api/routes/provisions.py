"""What providers answer under authorizations."""

from __future__ import annotations

from datetime import date

from fastapi import APIRouter, Response

from api import schemas
from api import schemas_usage as usage
from api.access import Caller, OpenLedger, require
from api.idempotency import Key, once
from api.paging import Cursor, Limit, Page, decode, page
from api.routes.consents import show as show_authorization
from ledger.connectors.answers import Answer, NoData, Refused, Supplied, TimedOut
from ledger.domain.permissions import Action
from ledger.errors import InvalidInput
from ledger.service.provisions import Supply

router = APIRouter(prefix="/provisions", tags=["provisions"])


@router.get("/asked")
def asked(ledger: OpenLedger, actor: Caller, limit: Limit = 50, cursor: Cursor = None) -> Page[usage.AuthorizationOut]:
    """Authorizations that wait for the caller's answer."""
    require(actor, Action.SUPPLY_DATA, owns=True)
    rows = ledger.provisions.asked(actor.party, decode(cursor), limit + 1)
    return page(rows, limit, lambda row: row.id, show_authorization)


@router.post("/draft")
def draft(body: usage.ProvisionDraftIn, ledger: OpenLedger, actor: Caller) -> usage.ProvisionDraftOut:
    """The unsigned answer over these rows, or without any; nothing is recorded."""
    given = ledger.authorizations.get(body.authorization)
    require(actor, Action.SUPPLY_DATA, owns=given.provider == actor.party)
    drafted = ledger.provisions.draft(body.authorization, _answer(body, ledger.clock()))
    return usage.ProvisionDraftOut(entry=drafted.entry, salt=drafted.salt)


@router.post("", status_code=201)
def supply(
    body: usage.ProvisionIn, ledger: OpenLedger, actor: Caller, response: Response, key: Key = None
) -> usage.ProvisionOut:
    """Answer under an authorization; the rows are used to compute the claims and not kept."""
    require(actor, Action.SUPPLY_DATA, owns=body.statement.get("provider") == actor.party)

    def work() -> tuple[int, usage.ProvisionOut]:
        (row,) = ledger.provisions.submit([Supply(body.statement, body.rows, body.salt)])
        return 201, usage.ProvisionOut(
            id=row.id, authorization=row.authorization_id, provider=row.provider, result=row.result, reason=row.reason
        )

    return usage.ProvisionOut(**once(ledger, actor, key, ("supply", body), response, work))


@router.get("/{provision}/claims")
def claims(provision: schemas.Ulid, ledger: OpenLedger, actor: Caller) -> schemas.PayloadOut:
    """What was computed from what the caller supplied."""
    row, computed = ledger.provisions.claims(provision)
    require(actor, Action.SEE_PAYLOAD, owns=row.provider == actor.party)
    return schemas.PayloadOut(claims=computed)


def _answer(body: usage.ProvisionDraftIn, now: int) -> Answer:
    queried_at = now if body.queried_at is None else body.queried_at
    match body.result:
        case "supplied":
            return Supplied(tuple(body.rows), _day(body.as_of), queried_at)
        case "refused":
            return Refused(body.reason or "", queried_at)
        case "no_data":
            return NoData(queried_at)
        case "timed_out":
            return TimedOut(queried_at)


def _day(text: str | None) -> date:
    try:
        return date.fromisoformat(text or "")
    except ValueError as error:
        raise InvalidInput("DATE_INVALID", "What is supplied is as of a day that exists.", where="as_of") from error
