"""Requests and responses for signing in, API keys, first keys and readings. Times are seconds UTC."""

from __future__ import annotations

from pydantic import BaseModel, Field

from api.http.schemas import Account, ActingKey, CertificateNo, HexId, Seconds, Strict, Ulid
from api.parties.power_schemas import KeyProof
from ledger.parties.access.callers import Scope
from ledger.proof.sign_in import MAX_TOKEN_CHARACTERS


class NonceIn(Strict):
    party: HexId = Field(description="The party that will sign in. The answer does not show whether the party exists.")


class SignInNonceOut(BaseModel):
    nonce: str = Field(description="32 bytes as base64url, for one use. Sign nothing that has another form.")
    expires_at: Seconds


class SignInIn(Strict):
    statement: str = Field(
        max_length=MAX_TOKEN_CHARACTERS,
        description="The signed statement (protocol §11) as a compact JWS. Take the origin, the chain and the ledger "
        "from your own settings; take only the nonce from this service.",
    )
    cookie: bool = Field(False, description="For pages: set the cookie `pz_session` and return no token.")


class SignedInOut(BaseModel):
    token: str | None = Field(description="Shown only once; null for a session with a cookie.", examples=["ps_…"])
    id: Ulid
    party: HexId
    account: Account = Field(description="The account whose key signed; the session ends with that key.")
    expires_at: Seconds


class SessionOut(BaseModel):
    id: Ulid
    account: Account
    cookie: bool
    created_at: Seconds
    expires_at: Seconds
    current: bool = Field(description="Whether it is the session of this call.")


class SessionsOut(BaseModel):
    items: list[SessionOut]


class MachineKeyIn(Strict):
    name: str = Field(max_length=64, description="What the key is for, in one line.", examples=["answering machine"])
    scopes: list[Scope] = Field(
        max_length=3,
        description="`read`: read records; `act`: act for the party; `payload`: receive statements about subjects.",
    )
    expires_at: Seconds = Field(description="Within 366 days.")


class MachineKeyOut(BaseModel):
    id: Ulid
    name: str
    scopes: list[Scope]
    account: Account = Field(description="The account whose session made the key; the key ends with that account.")
    created_at: Seconds
    expires_at: Seconds
    last_used: str | None = Field(description="A day, UTC; null if never used.", examples=["2026-08-01"])


class NewMachineKeyOut(MachineKeyOut):
    key: str = Field(description="Shown only once.", examples=["pz_…"])


class MachineKeysOut(BaseModel):
    items: list[MachineKeyOut]


class EnrolmentCodeOut(BaseModel):
    party: HexId
    code: str = Field(description="For this party, for one use; shown only once.", examples=["pe_…"])
    expires_at: Seconds


class EnrolmentIn(Strict):
    code: str = Field(max_length=128, examples=["pe_…"])
    public_key: ActingKey
    proof: KeyProof


class EnrolledOut(BaseModel):
    party: HexId
    account: Account
    proposal: int | None = Field(
        description="The proposal of the registration, which another office must confirm; null if already registered."
    )


class ReadingOut(BaseModel):
    id: Ulid
    at: Seconds
    by: HexId = Field(description="The party that received or verified the data.")
    certificate_no: CertificateNo | None = Field(description="Null for an answer without a certificate so far.")
    how: str = Field(
        description="`bundle`, `wallet`: downloaded by the subject; `answer`: a provider read its own answer; "
        "`verified`, `used`: presented; `case`: opened for a case.",
        examples=["used"],
    )
    fields: list[str]
    result: str | None = Field(description="The result of the verification.", examples=["valid"])
    case: str | None
