"""Requests and responses of batches and operations."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from api.http.schemas import IssueIn, Strict, Ulid
from api.usage.provision_schemas import ProvisionIn
from api.usage.schemas import RequestIn, StatementsIn, WithdrawalIn
from ledger.usage.batches.batches import ALL_OR_NONE, MAX_ITEMS

Mode = Literal["all_or_none", "per_item"]


class BatchIn(Strict):
    mode: Mode = Field(
        ALL_OR_NONE,
        description="`all_or_none`: if one item is refused, none is recorded. `per_item`: each item that is not "
        "refused is recorded.",
    )


class RequestBatchIn(BatchIn):
    items: list[RequestIn] = Field(min_length=1, max_length=MAX_ITEMS)


class AuthorizationBatchIn(BatchIn):
    items: list[StatementsIn] = Field(
        min_length=1, max_length=MAX_ITEMS, description="Each item has all authorizations of one request."
    )


class ProvisionBatchIn(BatchIn):
    items: list[ProvisionIn] = Field(min_length=1, max_length=MAX_ITEMS)


class CertificateBatchIn(BatchIn):
    items: list[IssueIn] = Field(min_length=1, max_length=MAX_ITEMS)


class WithdrawalBatchIn(Strict):
    items: list[WithdrawalIn] = Field(min_length=1, max_length=MAX_ITEMS)


class RefusalOut(BaseModel):
    code: str
    message: str
    where: str | None
    hint: str | None


class OperationOut(BaseModel):
    id: Ulid
    kind: str
    state: Literal["pending", "done", "refused"] = Field(
        description="`done`: every item is handled, and certificates are anchored. `refused`: nothing was recorded."
    )
    result: dict[str, Any]
    mode: Mode | None = Field(description="The mode of a batch.")
    total: int | None = Field(description="The number of items in a batch.")
    done: int | None = Field(description="The number of items that are handled, with those that are refused.")
    refused: int | None = Field(description="The number of items that are refused.")
    error: RefusalOut | None = Field(description="Why the whole batch is refused.")


class BatchItemOut(BaseModel):
    number: int = Field(description="The place of the item in the batch, from 1.")
    outcome: Literal["pending", "recorded", "refused", "not_recorded"]
    records: list[str] = Field(description="The ids of the item's records, or the number of its certificate.")
    error: RefusalOut | None = Field(description="Why the item is refused.")
