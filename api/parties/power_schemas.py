"""Proposals, keys and the pause on the wire. Times are seconds UTC by the wall clock, 0 where there is none."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from api.http.schemas import Account, ActingKey, ActMessage, ActSignature, AnyKey, HexId, Signable, Strict
from ledger.domain.parties import Role

KeyProof = Annotated[
    str,
    Field(
        pattern=r"^([0-9a-f]{128}|[0-9a-f]{256})?$",
        description="Hex of the new key's signature that it belongs to this ledger (protocol §3, `key`): "
        "`pingzheng key prove`. Empty for a key that is kept here. The offices check that of an SM2 key.",
    ),
]


class FurtherKeyIn(Strict):
    public_key: AnyKey
    proof: KeyProof = ""


class PartyIn(Strict):
    kind: str = Field(examples=["enterprise"])
    name: str = Field(min_length=1, max_length=200, examples=["湛江示例金属制品有限公司"])
    identifier: str = Field(
        max_length=18, description="USCC; for a person the resident ID number.", examples=["91440802MA9X00011Y"]
    )
    region: str = Field(max_length=16, examples=["440802"])
    public_key: ActingKey | None = Field(
        None, description="Its key; without one it hands in its first key later, by a one-time code."
    )
    proof: KeyProof = ""
    further_keys: list[FurtherKeyIn] = Field(
        default_factory=list, max_length=8, description="More first keys: they come without a delay, later ones wait."
    )


class PartiesIn(Signable):
    parties: list[PartyIn] = Field(min_length=1, max_length=200)


class PartyOut(BaseModel):
    id: HexId
    no: int | None = Field(description="Its number on the chain; null until two offices have registered it.")
    kind: str
    roles: list[str] = Field(description="As the chain gives them: none before the party is registered.")
    region: str
    account: str | None = Field(description="Its present account; null for a party without a key.")


class ProposalOut(BaseModel):
    """An act that waits for another office, for its time, or for a veto."""

    no: int = Field(examples=[7])
    kind: str = Field(examples=["change_key"])
    arguments: dict[str, Any] = Field(description="What exactly is proposed, in words.")
    role: str = Field(description="The office that proposes and confirms; empty where a party changes its own keys.")
    concerned: HexId | None = Field(description="The party that it is about.")
    by: HexId
    confirmed_by: HexId | None = Field(description="The second party of that office; null until it has confirmed.")
    at: int
    ready_at: int = Field(description="When it can take effect, if nothing is paused until then.")
    expires_at: int
    ended_at: int
    state: str = Field(examples=["pending"])
    how_to_stop: str = Field(description="In Chinese and English.")


class ProposalsOut(BaseModel):
    items: list[ProposalOut]


class PartiesOut(BaseModel):
    parties: list[PartyOut]
    proposals: list[ProposalOut] = Field(
        default_factory=list, description="What must be confirmed by another office before they are registered."
    )


class RotationIn(Signable):
    public_key: Annotated[str, Field(pattern=r"^0[23][0-9a-f]{64}$", description="secp256k1, compressed.")]
    proof: KeyProof = ""


class BindingIn(Signable):
    public_key: AnyKey
    proof: KeyProof = ""


class RetirementIn(Signable):
    account: Account


class RecoveryIn(Signable):
    public_key: AnyKey
    proof: KeyProof = ""
    lost: Account | None = Field(None, description="The account to replace, if it is not the one shown.")


class CompromiseIn(Signable):
    account: Account
    compromised_at: Annotated[int, Field(gt=0, lt=2**40)]


class ActIn(Signable):
    """Nothing but, where the key is kept elsewhere, the signature."""


class OpeningIn(Strict):
    kind: Annotated[str, Field(min_length=1, max_length=32)]
    identifier: Annotated[str, Field(min_length=1, max_length=32)]
    key: HexId
    name: Annotated[str, Field(min_length=1, max_length=200)]


class ListedPartyIn(Strict):
    id: HexId
    roles: list[Role] = Field(max_length=4)
    keys: list[FurtherKeyIn] = Field(min_length=1, max_length=16)
    opening: OpeningIn = Field(description="Whom the id stands for: it is the HMAC of kind and identifier under key.")


class ListIn(Strict):
    format: Literal["pingzheng-registrations/1"]
    act: HexId
    parties: list[ListedPartyIn] = Field(min_length=1, max_length=200)


class ConfirmationIn(Signable):
    list: ListIn | None = Field(
        None, description="The parties behind a registration that was proposed elsewhere, as `/list` gives them there."
    )


class ListOut(BaseModel):
    format: str
    act: HexId
    parties: list[dict[str, Any]] = Field(
        description="Ids, roles, keys, proofs; while it is pending `opening` says whom each id stands for, else null."
    )


class VetoIn(Signable):
    act: ActSignature | None = Field(
        None, description="The signature of the veto's message by `account`, which anybody may send."
    )
    account: Account | None = Field(None, description="Whose key signed; with `act` alone.")


class ReportIn(VetoIn):
    reported: Account = Field(description="The account whose key is lost or stolen.")


class MessageOut(BaseModel):
    account: Account
    message: ActMessage


class PauseOut(BaseModel):
    paused: bool
    paused_until: int = Field(description="0 where nothing is paused.")
    stops: list[str] = Field(
        default=["anchoring", "registering", "binding keys"],
        description="What waits. Reports, vetoes, holds, withdrawals, revocations, uses and verification go on.",
    )


class KeyChangeOut(BaseModel):
    """One thing that happened to a party's keys, or to a proposal about them."""

    event: str = Field(description="Of the contract, protocol §3.", examples=["AccountBound", "Proposed"])
    at: int
    account: Account | None
    proposal: int | None
    by: int = Field(description="The number of the party that acted.")
    state: str | None = Field(description="What became of a proposal that ended.")


class KeyChangesOut(BaseModel):
    items: list[KeyChangeOut]
