"""Requests and responses of revocations of many certificates."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from api.http.schemas import CertificateNo, HexId, Reason, Strict
from ledger.usage.revocations import MAX_REVOCATIONS


class RevocationsIn(Strict):
    numbers: Annotated[list[CertificateNo], Field(min_length=1, max_length=MAX_REVOCATIONS)] = Field(
        description="One that is named twice counts once."
    )
    reason: Reason


class RevocationOut(BaseModel):
    certificate_no: CertificateNo
    outcome: Literal["revoked", "ended_before", "not_revoked"]
    code: str | None = Field(description="Why it was not revoked by this call.", examples=["LOG_ALREADY_REVOKED"])
    tx_hash: HexId | None = Field(description="The transaction that revoked it.")


class RevocationsOut(BaseModel):
    items: list[RevocationOut]
    revoked: int
    ended_before: int = Field(description="Revoked or superseded before: nothing was sent for them.")
    not_revoked: int = Field(description="Send these again, if their code does not say that it is of no use.")
    transactions: int
    gas: int
