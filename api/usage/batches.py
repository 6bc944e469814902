"""Batches of statements, and the operations that show their progress."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import Response

from api.http.access import ActCaller, OpenLedger, ReadCaller
from api.http.idempotency import Key, once
from api.http.paging import Page, PageAsked
from api.http.routing import Lane, Router
from api.http.schemas import Ulid
from api.usage import batch_schemas as batches
from ledger.installation.explanations import explanation
from ledger.installation.wiring import Ledger
from ledger.parties.roles import Actor
from ledger.usage.batches.batches import PER_ITEM

router = Router()


@router.post("/requests/batch", status_code=202, tags=["requests"])
@Lane.BATCHING
def ask_many(
    body: batches.RequestBatchIn, ledger: OpenLedger, actor: ActCaller, response: Response, key: Key = None
) -> batches.OperationOut:
    """Record up to 10,000 signed requests. The answer is an operation: poll it until it is `done` or `refused`."""
    return _taken_in("requests", body, ledger, actor, response, key)


@router.post("/authorizations/batch", status_code=202, tags=["authorizations"])
@Lane.BATCHING
def authorise_many(
    body: batches.AuthorizationBatchIn, ledger: OpenLedger, actor: ActCaller, response: Response, key: Key = None
) -> batches.OperationOut:
    """Record the signed authorizations of up to 10,000 requests. The answer is an operation to poll."""
    return _taken_in("authorizations", body, ledger, actor, response, key)


@router.post("/provisions/batch", status_code=202, tags=["provisions"])
@Lane.BATCHING
def supply_many(
    body: batches.ProvisionBatchIn, ledger: OpenLedger, actor: ActCaller, response: Response, key: Key = None
) -> batches.OperationOut:
    """Answer up to 10,000 authorizations. The answer is an operation to poll. The rows stay with the provider."""
    return _taken_in("provisions", body, ledger, actor, response, key)


@router.post("/certificates/batch", status_code=202, tags=["certificates"])
@Lane.BATCHING
def issue_many(
    body: batches.CertificateBatchIn, ledger: OpenLedger, actor: ActCaller, response: Response, key: Key = None
) -> batches.OperationOut:
    """Issue up to 10,000 certificates. The answer is an operation to poll. Its items contain the certificates'
    numbers.
    """
    return _taken_in("certificates", body, ledger, actor, response, key)


@router.post("/withdrawals/batch", status_code=202, tags=["withdrawals"])
@Lane.BATCHING
def withdraw_many(
    body: batches.WithdrawalBatchIn, ledger: OpenLedger, actor: ActCaller, response: Response, key: Key = None
) -> batches.OperationOut:
    """Withdraw up to 10,000 of the caller's authorizations or provisions, each by its own signed entry and act.

    The answer is an operation to poll. A refused item does not stop the others; certificates that rest on a withdrawn
    statement are revoked.
    """
    return _taken_in("withdrawals", body, ledger, actor, response, key)


@router.get("/operations/{operation}", tags=["operations"])
def operation(operation: Ulid, ledger: OpenLedger, actor: ReadCaller) -> batches.OperationOut:
    """Return an operation of the caller, with the number of items that are handled so far.

    The operation is `done` when all items are handled and all certificates of the operation are anchored on the chain.
    """
    return shown(ledger.certificates.operations.get(operation, actor.party))


@router.get("/operations/{operation}/items", tags=["operations"])
def items(
    operation: Ulid,
    ledger: OpenLedger,
    actor: ReadCaller,
    paging: PageAsked,
    outcome: Literal["recorded", "refused"] | None = None,
) -> Page[batches.BatchItemOut]:
    """List the items of a batch of the caller, in the order of the batch. Each item has the ids of its records, or an
    error.
    """
    after, most = paging.place.after_number, paging.one_more
    rows = ledger.certificates.operations.items(operation, actor.party, after, most, outcome)
    return paging.page(
        rows,
        lambda row: str(row["number"]),
        lambda row: batches.BatchItemOut(**row | {"error": _explained(row["error"])}),
    )


def shown(described: dict[str, Any]) -> batches.OperationOut:
    """Convert an operation to its response model."""
    return batches.OperationOut(**described | {"error": _explained(described["error"])})


def _taken_in(
    kind: str,
    body: batches.BatchIn | batches.WithdrawalBatchIn,
    ledger: Ledger,
    actor: Actor,
    response: Response,
    key: str | None,
) -> batches.OperationOut:
    def work() -> tuple[int, batches.OperationOut]:
        wanted = body.model_dump(mode="json")["items"]
        mode = body.mode if isinstance(body, batches.BatchIn) else PER_ITEM
        identifier = ledger.usage.batches.take_in(actor, kind, mode, wanted)
        return 202, shown(ledger.certificates.operations.get(identifier, actor.party))

    answer = once(ledger, actor, key, (f"batch of {kind}", body), response, work)
    response.headers["Location"] = f"/v1/operations/{answer['id']}"
    return batches.OperationOut(**answer)


def _explained(error: dict[str, Any] | None) -> dict[str, Any] | None:
    if error is None:
        return None
    texts = explanation(error["code"], error["message"], error["hint"])
    return error | {"message": texts.message, "hint": texts.hint}
