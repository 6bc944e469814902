"""Requests and responses of verifying, presenting and signing a use. Times are seconds UTC."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from api.http.schemas import (
    Account,
    ActMessage,
    ActSignature,
    CertificateNo,
    HexId,
    Seconds,
    StatementDigest,
    Strict,
    Ulid,
)


class VerifyIn(Strict):
    bundle: dict[str, Any] | None = Field(None, description="A bundle; leave it out if you give `certificate_no`.")
    certificate_no: CertificateNo | None = None
    nonce: str | None = Field(None, max_length=200)
    at: Seconds | None = Field(None, description="The time for which to verify; default: now.")


class PresentationIn(Strict):
    bundle: dict[str, Any]
    nonce: str = Field(min_length=16, max_length=200)


class NonceOut(BaseModel):
    nonce: str


class ReportOut(BaseModel):
    model_config = ConfigDict(extra="allow")


class UseToSignOut(BaseModel):
    """A use that the consumer must sign before the chain can count it.

    Before you sign, compute the message from the other members and from `GET /v1/ledger`, and compare it with
    `message`.
    """

    presentation: Ulid
    account: Account = Field(description="The consumer's current account, whose key must sign.")
    request: StatementDigest = Field(
        description="The request; uses are counted for all certificates of a request together."
    )
    ordinal: int = Field(ge=1, description="The number of this use for the request, from 1.")
    deadline: Seconds = Field(description="The last second at which the chain counts the use.")
    message: ActMessage


class AnswerOut(ReportOut):
    use: UseToSignOut | None = Field(
        None,
        description="Sign this use to receive the content. The certificate is valid and no use is counted yet. Without "
        "this member the report is final.",
    )


class UseIn(Strict):
    signature: ActSignature


class PresentationOut(BaseModel):
    id: Ulid
    consumer: HexId = Field(description="Who verified.")
    result: str = Field(
        examples=["valid"],
        description="The verifier's result; `pending`: the presentation is not answered yet; "
        "`lapsed`: it was never answered.",
    )
    presented: bool = Field(description="True for a presentation to be used; false for a check.")
    fields: list[str] = Field(description="Names of the disclosed claims.")
    ordinal: int | None = Field(description="The number of the use that was counted; null if none was counted.")
    at: int


class UseElsewhereOut(BaseModel):
    ordinal: int
    by: HexId = Field(description="The consumer that had the use counted.")
    at: int


class PresentationsOut(BaseModel):
    items: list[PresentationOut]
    next_cursor: str | None
    elsewhere: list[UseElsewhereOut] = Field(
        description="All uses that were counted without a verification here; the same list on every page."
    )
