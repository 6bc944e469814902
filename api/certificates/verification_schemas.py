"""Requests and responses of verification: checking, presenting, signing a use. Times are seconds UTC."""

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
    bundle: dict[str, Any] | None = Field(None, description="A bundle; or give `certificate_no`.")
    certificate_no: CertificateNo | None = None
    nonce: str | None = Field(None, max_length=200)
    at: Seconds | None = Field(None, description="Judge as of this time; default now.")


class PresentationIn(Strict):
    bundle: dict[str, Any]
    nonce: str = Field(min_length=16, max_length=200)


class NonceOut(BaseModel):
    nonce: str


class ReportOut(BaseModel):
    model_config = ConfigDict(extra="allow")


class UseToSignOut(BaseModel):
    """A use that the chain counts once its consumer has signed it. `message` follows from the other members and from
    the chain, see `GET /v1/ledger`: make it again and compare before you sign."""

    presentation: Ulid
    account: Account = Field(description="Whose key signs: the consumer's present one.")
    request: StatementDigest = Field(description="All certificates under one request share its uses.")
    ordinal: int = Field(ge=1, description="The how-manieth use under that request.")
    deadline: Seconds = Field(description="The last second in which the chain counts it.")
    message: ActMessage


class AnswerOut(ReportOut):
    use: UseToSignOut | None = Field(
        None,
        description="Sign this to be given the content: it is valid, not used yet, and nothing is disclosed. Without "
        "it the report is final.",
    )


class UseIn(Strict):
    signature: ActSignature


class PresentationOut(BaseModel):
    id: Ulid
    consumer: HexId = Field(description="Who verified.")
    result: str = Field(
        examples=["valid"], description="The verifier's word; `pending`: not answered yet; `lapsed`: never answered."
    )
    presented: bool = Field(description="To be used, with a nonce of its own; else it was only looked at.")
    fields: list[str] = Field(description="Names of the claims disclosed.")
    ordinal: int | None = Field(description="The how-manieth use it spent, if any.")
    at: int


class UseElsewhereOut(BaseModel):
    ordinal: int
    by: HexId = Field(description="The consumer whose use it is.")
    at: int


class PresentationsOut(BaseModel):
    items: list[PresentationOut]
    next_cursor: str | None
    elsewhere: list[UseElsewhereOut] = Field(description="All uses that no verification here explains, on every page.")
