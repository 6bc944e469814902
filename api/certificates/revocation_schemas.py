"""Request and response of revoking many certificates at once."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from api.http.schemas import CertificateNo, HexId, Reason, Strict
from ledger.usage.revocations import MAX_REVOCATIONS


class RevocationsIn(Strict):
    numbers: Annotated[list[CertificateNo], Field(min_length=1, max_length=MAX_REVOCATIONS)] = Field(
        description="A number that is listed twice counts once."
    )
    reason: Reason


class RevocationOut(BaseModel):
    certificate_no: CertificateNo
    outcome: Literal["revoked", "ended_before", "not_revoked"]
    code: str | None = Field(
        description="The reason why this call did not revoke the certificate.", examples=["LOG_ALREADY_REVOKED"]
    )
    tx_hash: HexId | None = Field(description="The transaction that revoked the certificate.")


class RevocationsOut(BaseModel):
    items: list[RevocationOut]
    revoked: int
    ended_before: int = Field(description="The certificates that were already revoked or superseded.")
    not_revoked: int = Field(description="The certificates that could not be revoked; `code` says why.")
    transactions: int
    gas: int
