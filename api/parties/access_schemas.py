"""Requests and responses for signing in, API keys, first keys and readings. Times are seconds UTC."""

from __future__ import annotations

from pydantic import BaseModel, Field

from api.http.schemas import Account, ActingKey, CertificateNo, HexId, Seconds, Strict, Ulid
from api.parties.power_schemas import KeyProof
from ledger.parties.access.callers import Scope
from ledger.proof.sign_in import MAX_TOKEN_CHARACTERS


class NonceIn(Strict):
    party: HexId = Field(
        description="The party that will sign in. The answer is the same whether the party exists or not."
    )


class SignInNonceOut(BaseModel):
    nonce: str = Field(description="32 bytes as base64url; can be used once. Do not sign a nonce of another form.")
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
    account: Account = Field(
        description="The account whose key signed; the session ends when this key is no longer active."
    )
    expires_at: Seconds


class SessionOut(BaseModel):
    id: Ulid
    account: Account
    cookie: bool
    created_at: Seconds
    expires_at: Seconds
    current: bool = Field(description="Whether this is the session of the present call.")


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
    account: Account = Field(
        description="The account whose session made the API key; the API key becomes invalid "
        "when the account is no longer active."
    )
    created_at: Seconds
    expires_at: Seconds
    last_used: str | None = Field(
        description="The day (UTC) of the last use; null if the key was never used.", examples=["2026-08-01"]
    )


class NewMachineKeyOut(MachineKeyOut):
    key: str = Field(description="Shown only once.", examples=["pz_…"])


class MachineKeysOut(BaseModel):
    items: list[MachineKeyOut]


class EnrolmentCodeOut(BaseModel):
    party: HexId
    code: str = Field(
        description="The code is only for this party, can be used once, and is shown only once.", examples=["pe_…"]
    )
    expires_at: Seconds


class EnrolmentIn(Strict):
    code: str = Field(max_length=128, examples=["pe_…"])
    public_key: ActingKey
    proof: KeyProof


class EnrolledOut(BaseModel):
    party: HexId
    account: Account
    proposal: int | None = Field(
        description="The proposal to register the party, which another institution must confirm; "
        "null if the party is registered already."
    )


class ReadingOut(BaseModel):
    id: Ulid
    at: Seconds
    by: HexId = Field(description="The party that received or verified the data.")
    certificate_no: CertificateNo | None = Field(
        description="The certificate; null for an answer for which no certificate was issued yet."
    )
    how: str = Field(
        description="`bundle`, `wallet`: downloaded by the subject; `answer`: a provider read its own answer; "
        "`verified`, `used`: a consumer verified or used the certificate; `case`: a supervisor opened it for a case.",
        examples=["used"],
    )
    fields: list[str]
    result: str | None = Field(
        description="The verifier's result, if the data was verified or used.", examples=["valid"]
    )
    case: str | None
