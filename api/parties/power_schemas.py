"""Requests and responses for parties, proposals, keys and the pause. Times are seconds UTC, 0 if not set."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from api.http.schemas import Account, ActingKey, ActMessage, ActSignature, AnyKey, HexId, Signable, Strict
from ledger.domain.parties import Role

KeyProof = Annotated[
    str,
    Field(
        pattern=r"^([0-9a-f]{128}|[0-9a-f]{256})?$",
        description="The new key's signature, in hex, that the key belongs to a party of this ledger (protocol §3, "
        "`key`); made with `pingzheng key prove`. Empty for a key that the service keeps. The proposing and the "
        "confirming institution check the proof of an SM2 key.",
    ),
]


class FurtherKeyIn(Strict):
    public_key: AnyKey
    proof: KeyProof = ""


class PartyIn(Strict):
    kind: str = Field(examples=["enterprise"])
    name: str = Field(min_length=1, max_length=200, examples=["湛江示例金属制品有限公司"])
    identifier: str = Field(
        max_length=18, description="USCC, or for a person the resident ID number.", examples=["91440802MA9X00011Y"]
    )
    region: str = Field(max_length=16, examples=["440802"])
    public_key: ActingKey | None = Field(
        None,
        description="The party's key. Without a key here, the party submits its first key later, with a one-time code.",
    )
    proof: KeyProof = ""
    further_keys: list[FurtherKeyIn] = Field(
        default_factory=list,
        max_length=8,
        description="More first keys, which need no waiting period; keys that are added later do.",
    )


class PartiesIn(Signable):
    parties: list[PartyIn] = Field(min_length=1, max_length=200)


class PartyOut(BaseModel):
    id: HexId
    no: int | None = Field(
        description="The party's number on the chain; null until two institutions have registered the party."
    )
    kind: str
    roles: list[str] = Field(description="The party's roles on the chain; empty until the party is registered.")
    region: str
    account: str | None = Field(description="The party's present account; null for a party without a key.")


class ProposalOut(BaseModel):
    """A proposed act, pending or ended."""

    no: int = Field(examples=[7])
    kind: str = Field(examples=["change_key"])
    arguments: dict[str, Any] = Field(description="The arguments of the proposed act, by name.")
    role: str = Field(
        description="The role (office) that proposes and confirms; empty if a party changes its own keys."
    )
    concerned: HexId | None = Field(description="The party that the proposed act changes.")
    by: HexId
    confirmed_by: HexId | None = Field(description="The second party with that role, which has confirmed; null before.")
    at: int
    ready_at: int = Field(
        description="The time from which the act can be carried out, if the ledger is not paused before that time."
    )
    expires_at: int
    ended_at: int
    state: str = Field(examples=["pending"])
    how_to_stop: str = Field(description="How to stop the proposal, in Chinese and English.")


class ProposalsOut(BaseModel):
    items: list[ProposalOut]


class PartiesOut(BaseModel):
    parties: list[PartyOut]
    proposals: list[ProposalOut] = Field(
        default_factory=list, description="The registrations that another institution must still confirm."
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
    lost: Account | None = Field(None, description="The account to replace; default: the party's present account.")


class CompromiseIn(Signable):
    account: Account
    compromised_at: Annotated[int, Field(gt=0, lt=2**40)]


class ActIn(Signable):
    """An empty object, or the signed request if the caller keeps its own key."""


class OpeningIn(Strict):
    kind: Annotated[str, Field(min_length=1, max_length=32)]
    identifier: Annotated[str, Field(min_length=1, max_length=32)]
    key: HexId
    name: Annotated[str, Field(min_length=1, max_length=200)]


class ListedPartyIn(Strict):
    id: HexId
    roles: list[Role] = Field(max_length=4)
    keys: list[FurtherKeyIn] = Field(min_length=1, max_length=16)
    opening: OpeningIn = Field(description="The party's identity: `id` is the HMAC of kind and identifier under `key`.")


class ListIn(Strict):
    format: Literal["pingzheng-registrations/1"]
    act: HexId
    parties: list[ListedPartyIn] = Field(min_length=1, max_length=200)


class ConfirmationIn(Signable):
    list: ListIn | None = Field(
        None,
        description="For a registration that another installation proposed: the list of parties, "
        "which `/list` of that installation returns.",
    )


class ListOut(BaseModel):
    format: str
    act: HexId
    parties: list[dict[str, Any]] = Field(
        description="Each party's id, roles, keys and proofs. `opening` is the party's identity while the proposal is "
        "pending, else null."
    )


class VetoIn(Signable):
    act: ActSignature | None = Field(
        None,
        description="The signature of the drafted message by the key of `account`. Anybody may send the signature.",
    )
    account: Account | None = Field(None, description="The account whose key signed; give it only with `act`.")


class ReportIn(VetoIn):
    reported: Account = Field(description="The account whose key is lost or stolen.")


class MessageOut(BaseModel):
    account: Account
    message: ActMessage


class PauseOut(BaseModel):
    paused: bool
    paused_until: int = Field(description="The time at which the pause ends at the latest; 0 if nothing is paused.")
    stops: list[str] = Field(
        default=["anchoring", "registering", "binding keys"],
        description="The acts that a pause stops. It never stops key reports, vetoes, holds, withdrawals, revocations, "
        "uses and verification.",
    )


class KeyChangeOut(BaseModel):
    """A change of a party's keys, or of a proposal about the party's keys."""

    event: str = Field(
        description="The name of the contract's event (protocol §3).", examples=["AccountBound", "Proposed"]
    )
    at: int
    account: Account | None
    proposal: int | None
    by: int = Field(description="The number of the party that acted.")
    state: str | None = Field(description="The final state, if the event is that a proposal ended; else null.")


class KeyChangesOut(BaseModel):
    items: list[KeyChangeOut]
