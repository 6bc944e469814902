"""Requests and responses of signing in, keys for machines, first keys and readings. Times are seconds UTC."""

from __future__ import annotations

from pydantic import BaseModel, Field

from api.http.schemas import Account, ActingKey, CertificateNo, HexId, Seconds, Strict, Ulid
from api.parties.power_schemas import KeyProof
from ledger.parties.access.callers import Scope
from ledger.proof.sign_in import MAX_TOKEN_CHARACTERS


class NonceIn(Strict):
    party: HexId = Field(description="Who will sign in. The answer does not say whether there is such a party.")


class SignInNonceOut(BaseModel):
    nonce: str = Field(description="32 bytes as base64url; it serves once. Sign nothing that has another form.")
    expires_at: Seconds


class SignInIn(Strict):
    statement: str = Field(
        max_length=MAX_TOKEN_CHARACTERS,
        description="The signed statement (protocol §11) as a compact JWS. Build it from your own settings: the origin "
        "that you want to reach, the chain and the ledger that you were given; take the nonce alone from here.",
    )
    cookie: bool = Field(False, description="For pages: set the cookie `pz_session` and return no token.")


class SignedInOut(BaseModel):
    token: str | None = Field(description="Shown this once; null for a session by cookie.", examples=["ps_…"])
    id: Ulid
    party: HexId
    account: Account = Field(description="Whose key signed: the session ends with that key.")
    expires_at: Seconds


class SessionOut(BaseModel):
    id: Ulid
    account: Account
    cookie: bool
    created_at: Seconds
    expires_at: Seconds
    current: bool = Field(description="The session that asks.")


class SessionsOut(BaseModel):
    items: list[SessionOut]


class MachineKeyIn(Strict):
    name: str = Field(max_length=64, description="What the machine is, in one line.", examples=["answering machine"])
    scopes: list[Scope] = Field(
        max_length=3,
        description="`read`: look at records; `act`: act for the party; `payload`: get what is said of subjects.",
    )
    expires_at: Seconds = Field(description="Within 366 days.")


class MachineKeyOut(BaseModel):
    id: Ulid
    name: str
    scopes: list[Scope]
    account: Account = Field(description="Whose session made it: the key ends with that account.")
    created_at: Seconds
    expires_at: Seconds
    last_used: str | None = Field(description="A day, UTC; null if it was never used.", examples=["2026-08-01"])


class NewMachineKeyOut(MachineKeyOut):
    key: str = Field(description="Shown this once.", examples=["pz_…"])


class MachineKeysOut(BaseModel):
    items: list[MachineKeyOut]


class EnrolmentCodeOut(BaseModel):
    party: HexId
    code: str = Field(description="Shown this once, for the party alone; it serves once.", examples=["pe_…"])
    expires_at: Seconds


class EnrolmentIn(Strict):
    code: str = Field(max_length=128, examples=["pe_…"])
    public_key: ActingKey
    proof: KeyProof


class EnrolledOut(BaseModel):
    party: HexId
    account: Account
    proposal: int | None = Field(description="The registration that another office confirms; null: registered.")


class ReadingOut(BaseModel):
    id: Ulid
    at: Seconds
    by: HexId = Field(description="Who was given the data, or verified it.")
    certificate_no: CertificateNo | None = Field(description="Null for an answer that no certificate came of yet.")
    how: str = Field(
        description="`bundle`, `wallet`: taken by the subject; `answer`: a provider read what it supplied; `verified`, "
        "`used`: presented; `case`: opened for a case.",
        examples=["used"],
    )
    fields: list[str]
    result: str | None = Field(description="The verifier's word.", examples=["valid"])
    case: str | None
