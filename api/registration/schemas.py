"""Requests and responses of registration. Times are seconds UTC, money is fen, digests are ``sha-256:`` and hex."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.http.schemas import Day, HexId, Reason, ResourceIn, Seconds, Signable, Strict
from ledger.domain.reasons import MAX_GROUNDS

Text = Annotated[str, Field(min_length=1, max_length=MAX_GROUNDS)]
Digest = Annotated[str, Field(pattern=r"^sha-256:[0-9a-f]{64}$", examples=["sha-256:" + "9f" * 32])]
Score = Annotated[int, Field(ge=0, le=100)]


class StepIn(Signable):
    pass


class ReasonIn(Signable):
    reason: Text


class ApplicationIn(Signable):
    kind: Literal["first", "change", "correct", "renew", "cancel"] = Field(
        description="`first` files a returned first application again."
    )
    resource: ResourceIn | None = Field(
        None, description="The new description; required for `first`, `change` and `correct`."
    )
    reason: Text | None = Field(None, description="The reason; required for `renew` and `cancel`.")


class ClearIn(Signable):
    report: Digest


class ObjectionIn(Signable):
    grounds: Text
    evidence: Digest | None = None


class DecisionIn(Signable):
    state: Literal["admitted", "verified", "upheld", "dismissed", "refused"]
    reason: Text


class AnnulIn(Signable):
    reason: Reason
    grounds: Text


class ReassignIn(Signable):
    to: HexId
    grounds: Text


class RightIn(Signable):
    kind: Literal["hold", "process", "operate"]
    grantee: HexId
    start: Seconds
    end: Seconds
    scope: Text
    exclusive: bool = False
    sublicensable: bool = False
    transferable: bool = False
    parent: int | None = Field(
        None, ge=1, le=256, description="For a sublicence: the number of the right it is granted under."
    )


class RecipientIn(Signable):
    to: HexId


class EndIn(Signable):
    reason: Text | None = Field(None, description="The reason; a registrar must give it.")


class LienIn(Signable):
    creditor: HexId
    amount: int = Field(gt=0, le=10**15, description="Secured amount in fen.")
    due: Day
    contract: Digest


class ConsentIn(Signable):
    to: HexId | None = Field(
        None, description="The recipient of the transfer; without this member the consent is withdrawn."
    )


class LinkIn(Signable):
    relation: Literal["derived_from", "split_from", "merged_from"]
    parent: HexId


class ReplaceIn(Signable):
    successor: HexId


class QualityIn(Signable):
    scores: dict[str, Score] = Field(max_length=6)
    weights: dict[str, Score] = Field(
        max_length=6, description="The weights of the six dimensions; they add up to 100."
    )
    report: Digest
    last_day: Day


class ValuationIn(Signable):
    method: Literal["cost", "income", "market"]
    amount: int = Field(gt=0, le=10**15, description="In fen.")
    base_date: Day
    report: Digest
    last_day: Day


class MandateIn(Strict):
    broker: HexId
    valid_to: Seconds


class MandateOut(BaseModel):
    id: str
    principal: HexId
    broker: HexId
    valid_to: int


class Item(BaseModel):
    model_config = ConfigDict(extra="allow")


class ItemsOut(BaseModel):
    items: list[dict[str, Any]]
