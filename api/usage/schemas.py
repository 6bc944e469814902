"""Requests and responses for requests, authorizations and provisions."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from api.http.schemas import (
    ActMessage,
    ActSignature,
    Digest,
    DraftOut,
    HexId,
    Jwk,
    Seconds,
    Statement,
    StatementDigest,
    Strict,
    Ulid,
)


class NoteIn(Strict):
    contact: str = Field(min_length=1, max_length=200, examples=["信贷部 Credit department"])
    purpose_note: str = Field("", max_length=400)
    business_ref: str = Field("", max_length=64)


class SignedNote(NoteIn):
    salt: str = Field(min_length=22, max_length=64)


class RequestDraftIn(Strict):
    scenario: str = Field(pattern=r"^S\d{2}$", examples=["S51"])
    subject: HexId
    consumer: HexId
    sources: dict[str, HexId] = Field(
        min_length=1,
        max_length=8,
        description="Maps each source to its provider's party id.",
        examples=[{"statistics": "9f" * 32}],
    )
    fields: list[str] = Field(min_length=1, max_length=64, examples=[["years_covered", "wage_band"]])
    valid_from: Seconds
    valid_to: Seconds = Field(description="The end of the period (exclusive); a midnight in Shanghai.")
    max_uses: int = Field(1, ge=1, le=65535)
    channel: str = Field(examples=["government_platform"])
    expires_at: Seconds = Field(description="The subject may answer until this time.")
    pia_digest: Digest | None = Field(
        None, description="Digest of your impact assessment, if the scenario requires one."
    )
    note: NoteIn


class RequestDraftOut(BaseModel):
    entry: dict[str, Any] = Field(description="Sign this: a detached JWS over its canonical JSON.")
    note: SignedNote


class RequestIn(Strict):
    statement: Statement
    note: SignedNote


class RequestOut(BaseModel):
    id: Ulid
    digest: StatementDigest
    scenario: str
    subject: HexId
    consumer: HexId
    state: str
    expires_at: int
    created_at: int


class ChoiceIn(Strict):
    fields: list[str] | None = Field(
        None, max_length=64, description="Allow only these fields; default: all requested fields."
    )
    valid_to: Seconds | None = None
    max_uses: int | None = Field(None, ge=1, le=65535)
    separate_consent: bool = Field(False, description="Whether the person gave a separate consent (PIPL art. 23).")
    holder_key: Jwk | None = Field(
        None, description="The key to present the certificate with; default: the key of your account."
    )


class DraftsOut(BaseModel):
    drafts: list[DraftOut] = Field(
        description="One draft for each source; each signed draft becomes one authorization."
    )


class StatementsIn(Strict):
    statements: list[Statement] = Field(min_length=1, max_length=8)


class WithdrawalDraftOut(BaseModel):
    entry: dict[str, Any] = Field(description="Sign this: a detached JWS over its canonical JSON.")
    message: ActMessage | None = Field(
        description="Sign this too, with the same key, for the chain. Null for an SM2 key, because the chain cannot "
        "check its signatures: the entry alone is the withdrawal."
    )


class WithdrawalIn(Strict):
    statement: Statement
    act: ActSignature | None = Field(None, description="The signature of `message`; null for an SM2 key.")


class WithdrawnOut(BaseModel):
    statement: StatementDigest = Field(description="The digest of the statement, which is now permanently withdrawn.")
    party: HexId
    reason: str


class AuthorizationOut(BaseModel):
    id: Ulid
    digest: StatementDigest
    request: Ulid
    scenario: str
    subject: HexId
    consumer: HexId
    source: str
    provider: HexId
    state: str
    created_at: int


class AuthorizationsOut(BaseModel):
    authorizations: list[AuthorizationOut]


class RequestDetailOut(RequestOut):
    entry: dict[str, Any]
    note: SignedNote | None = Field(
        description="The consumer's note. Null if it was erased, or if the caller is neither subject nor consumer."
    )
    authorizations: list[AuthorizationOut]
