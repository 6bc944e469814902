"""Messages between a provider and the platform: tasks, erasures, signed answers. No member can hold rows."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field

from api.http.schemas import ActSignature, HexId, Jwk, Statement, Strict, Ulid
from ledger.proof.sdjwt import MAX_DISCLOSURE_BYTES, MAX_DISCLOSURES

Disclosure = Annotated[str, Field(max_length=2 * MAX_DISCLOSURE_BYTES, pattern=r"^[A-Za-z0-9_-]+$")]


class OpeningOut(BaseModel):
    kind: str = Field(examples=["enterprise"])
    identifier: str = Field(description="USCC or resident ID number.")
    key: HexId = Field(
        description="Kind, identifier and this key together give the subject's party id (docs/protocol.md, §1)."
    )


class TaskOut(BaseModel):
    format: str = Field(examples=["pingzheng-task/1"])
    chain: dict[str, Any] = Field(description="The eight values that name the ledger.")
    template: dict[str, Any]
    request: dict[str, Any]
    authorization: dict[str, Any]
    keys: dict[str, Jwk] = Field(description="Public keys of the accounts that signed request and authorization.")
    opening: OpeningOut
    corrects: str | None = Field(
        description="The provision that the answer corrects, if the provider has already supplied data."
    )


class ErasuresOut(BaseModel):
    items: list[dict[str, Any]] = Field(description="Log entries of type `erasure`, in the order of the log.")
    next_cursor: str | None = Field(
        description="Cursor from which later erasures can be read; null if nothing was erased so far."
    )


class ProvisionIn(Strict):
    statement: Statement
    disclosures: list[Disclosure] = Field(
        [], max_length=MAX_DISCLOSURES, description="One disclosure for each claim: base64url of `[salt, name, value]`."
    )
    withdrawal: ActSignature | None = Field(
        None,
        description="Required with a correction: the old provision's withdrawal, signed for the chain (protocol §3).",
    )
    withdrawn: Statement | None = Field(
        None, description="Required with a correction: the signed `withdrawal` entry for the old provision."
    )


class ProvisionOut(BaseModel):
    id: Ulid
    authorization: Ulid
    provider: HexId
    result: str
    reason: str | None
