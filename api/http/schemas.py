"""Request and response models that several capabilities use. Times are in seconds UTC; ids have 64 hex digits."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ledger.domain.days import FIRST_DAY, LAST_DAY
from ledger.domain.parties import Role

HexId = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", examples=["9f" * 32])]
Ulid = Annotated[str, Field(pattern=r"^[0-9A-HJKMNP-TV-Z]{26}$", examples=["01JD8Z3W0S6V3M5E0Q9T4N7R2B"])]
CertificateNo = Annotated[str, Field(max_length=32, examples=["DAC-440802-2026-S01-00000123-V"])]
Seconds = Annotated[int, Field(ge=0, lt=2**40)]
RecordNo = Annotated[int, Field(ge=0, lt=2**32, description="The record's number within its asset.", examples=[0])]
ActingKey = Annotated[
    str,
    Field(
        pattern=r"^(p256:)?0[23][0-9a-f]{64}$",
        description="Compressed public key: secp256k1, or P-256 with the prefix `p256:`.",
        examples=["02" + "9f" * 32, "p256:03" + "9f" * 32],
    ),
]
AnyKey = Annotated[
    str,
    Field(
        pattern=r"^(p256:|sm2:)?0[23][0-9a-f]{64}$",
        description="Compressed public key: secp256k1; P-256 with prefix `p256:`; SM2 with prefix `sm2:`.",
        examples=["02" + "9f" * 32, "p256:03" + "9f" * 32],
    ),
]
Account = Annotated[str, Field(pattern=r"^0x[0-9a-f]{40}$")]
Statement = Annotated[dict[str, Any], Field(description="The entry as drafted, with `signature` added.")]
Day = Annotated[date, Field(ge=FIRST_DAY, le=LAST_DAY, examples=["2027-03-31"])]
Digest = Annotated[str, Field(pattern=r"^(sha-256|sm3):[0-9a-f]{64}$")]
StatementDigest = Annotated[
    str, Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of the canonical entry without `signature`.")
]
ActSignature = Annotated[
    str,
    Field(
        pattern=r"^([0-9a-f]{128}|[0-9a-f]{256})$",
        description="Signs the message's SHA-256; hex, `r ‖ s` (secp256k1) or `r ‖ s ‖ x ‖ y` (P-256), low `s`.",
    ),
]
ActMessage = Annotated[str, Field(pattern=r"^([0-9a-f]{2})+$", description="The bytes to sign, in hex (protocol §3).")]
Reason = Literal[
    "consent_withdrawn",
    "data_error",
    "expired_basis",
    "court",
    "sanction",
    "key_compromise",
    "fraud",
    "investigation",
    "lifted",
]


class Strict(BaseModel):
    """The base class of request bodies. A body with an unknown member is refused."""

    model_config = ConfigDict(extra="forbid")


class Jwk(Strict):
    """A public key as JWK. The curve determines the signature algorithm, so the curve must be given."""

    kty: Literal["EC"]
    crv: Literal["secp256k1", "P-256", "SM2"]
    x: str = Field(pattern=r"^[A-Za-z0-9_-]{43}$", examples=["n5-fn5-fn5-fn5-fn5-fn5-fn5-fn5-fn5-fn5-fn58"])
    y: str = Field(pattern=r"^[A-Za-z0-9_-]{43}$", examples=["n5-fn5-fn5-fn5-fn5-fn5-fn5-fn5-fn5-fn5-fn58"])


class StandingOut(BaseModel):
    id: HexId
    no: int
    status: str
    roles: list[str]


class DraftOut(BaseModel):
    entry: dict[str, Any] = Field(description="The entry to sign: sign its canonical JSON as a detached JWS.")
    notice: dict[str, Any] = Field(
        default_factory=dict,
        description="Show this notice to the subject without changes; the entry contains its digest.",
    )


class StatementIn(Strict):
    statement: Statement


class IssueIn(Strict):
    request: Ulid = Field(description="The id of an authorised request that all its providers have answered.")


class CertificateOut(BaseModel):
    certificate_no: CertificateNo
    digest: StatementDigest
    seq: int = Field(description="The certificate's entry number in its issuer's log.")
    class_: str = Field(validation_alias="class", serialization_alias="class")
    scenario: str
    issuer: HexId
    subject: HexId
    consumer: HexId | None
    asset: HexId | None
    exp: int
    created_at: int

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)


class SupersedeIn(Strict):
    successor: CertificateNo


class HeldOut(CertificateOut):
    state: str = Field(description="The current state on the chain.", examples=["active"])
    providers: list[HexId] = Field(description="The providers whose data the certificate is based on.")
    max_uses: int | None
    uses: int


class CountOut(BaseModel):
    certificates: int
    states: dict[str, int] = Field(description="The number of certificates in each state.", examples=[{"active": 3}])


class ScenarioCountOut(CountOut):
    scenario: str


class ProviderCountOut(CountOut):
    provider: HexId


class HoldingsSummaryOut(BaseModel):
    at: int
    block: int
    total: int
    by_scenario: list[ScenarioCountOut]
    by_provider: list[ProviderCountOut] = Field(
        description="If a certificate has several providers, it is counted for each provider."
    )


class PublicStatusOut(BaseModel):
    certificate_no: CertificateNo
    state: str = Field(description="`suspended` also if the certificate is held (frozen).", examples=["active"])
    since: int | None


class CaseIn(Strict):
    case: str = Field(max_length=64, examples=["（2026）湛数监12号"])


class PayloadOut(BaseModel):
    claims: dict[str, Any]


class PositionOut(BaseModel):
    issuer: int = Field(description="The party number of the issuer of the log.")
    batch: int
    index: int


class LogEntryOut(BaseModel):
    seq: int
    type: str
    leaf: HexId = Field(description="Hash of the signed entry; the proof shows that it is in the log.")
    digest: StatementDigest
    position: PositionOut | None = Field(description="The batch and the proof; null until the entry is anchored.")
    entry: dict[str, Any]


class StatusOut(BaseModel):
    model_config = ConfigDict(extra="allow")


class ResourceFieldIn(Strict):
    name: str = Field(min_length=1, max_length=200, examples=["kwh"])
    type: str = Field(min_length=1, max_length=64, examples=["decimal"])
    unit: str = Field("", max_length=32)
    pii: str = Field("none", max_length=32)
    secrecy: str = Field("none", max_length=32)
    grade: str = Field("general_1", max_length=16)


class ResourceIn(Strict):
    code: str = Field(min_length=1, max_length=64, examples=["power/meters-2025"])
    title: str = Field(min_length=1, max_length=400)
    package: str = Field("", max_length=200)
    rows: int = Field(ge=0)
    columns: int = Field(ge=0)
    fields: list[ResourceFieldIn] = Field(max_length=8192)
    content_digest: str = Field(pattern=r"^sha-256:[0-9a-f]{64}$")
    source_kind: str = Field("social", max_length=32)
    domain: str = Field("", max_length=64)
    format: str = Field("", max_length=64)
    update_freq: str = Field("irregular", max_length=16)
    time_range: str = Field("", max_length=200)
    spatial_range: str = Field("", max_length=200)
    storage_location: str = Field("", max_length=200)
    storage_mode: str = Field("", max_length=64)
    share_attr: str = Field("conditional", max_length=16)
    share_basis: str = Field("", max_length=400)
    open_attr: str = Field("none", max_length=16)
    system: str = Field("", max_length=64)
    grade: str = Field("", max_length=16, description="If empty: the highest grade of the fields.")


class SignedRequestIn(Strict):
    typed_data: dict[str, Any]
    signature: str = Field(pattern=r"^(0x)?[0-9a-fA-F]{130}$")


class Signable(Strict):
    signed_request: SignedRequestIn | None = Field(
        None,
        description="After 409 SIGNATURE_REQUIRED, repeat the call with its `typed_data` and the EIP-712 signature.",
    )


class StatusIn(Strict):
    reason: Reason


class RolesIn(Signable):
    roles: list[Role] = Field(max_length=11)


class PartyStatusIn(Signable):
    status: Literal["active", "suspended", "sanctioned", "closed"]
    reason: Reason


class RegisterIn(Signable):
    resource: ResourceIn | None = Field(None, description="The resource's description; or give `catalogue_code`.")
    catalogue_code: str | None = Field(None, max_length=64, description="The code of a published resource.")
    applicant: HexId | None = Field(
        None, description="For a broker: the party id of the principal that gave the mandate."
    )


class OfferIn(Signable):
    to: HexId
    deadline: Seconds | None = None


class AnswerIn(Signable):
    pass


class FreezeIn(Signable):
    reason: Reason


class HoldIn(Signable):
    reason: Reason


class LiftIn(Signable):
    reason: Reason = "lifted"


class HoldStatementsIn(HoldIn):
    statements: list[StatementDigest] = Field(
        min_length=1,
        max_length=100,
        description="Digests of requests, authorizations, provisions or usage certificates.",
    )


class LiftStatementsIn(LiftIn):
    statements: list[StatementDigest] = Field(min_length=1, max_length=100)


class HeldStatementOut(BaseModel):
    statement: StatementDigest
    offices: list[str] = Field(description="The roles that hold the statement now.", examples=[["supervisor"]])


class HeldStatementsOut(BaseModel):
    items: list[HeldStatementOut]


class AssetOut(BaseModel):
    model_config = ConfigDict(extra="allow")


class ProvenanceOut(BaseModel):
    events: list[dict[str, Any]]
    completeness: dict[str, Any]


class AssetProvenanceOut(ProvenanceOut):
    view: dict[str, Any] | None = Field(None, description="The asset's state at the requested time.")


class LineageOut(BaseModel):
    root: str
    nodes: list[dict[str, Any]]
    edges: list[dict[str, Any]]
    truncated: bool


class HeadOut(BaseModel):
    model_config = ConfigDict(extra="allow")


class ChainOut(BaseModel):
    """The eight values that together identify a ledger (protocol §1)."""

    chain_id: int
    forwarder: Account
    party_registry: Account
    asset_registry: Account
    certificate_log: Account
    origin: HexId
    delay: int
    threshold: int


class LedgerOut(BaseModel):
    ledger: HexId = Field(description="The digest of `chain`; every log entry contains it as `ledger`.")
    chain: ChainOut


class HealthOut(BaseModel):
    status: str


class ReadyOut(HealthOut):
    ledger: HexId = Field(description="The ledger to which database, deployment file and node belong.")
    block: int = Field(description="The number of the node's newest block.")
    checks: dict[str, Any] = Field(examples=[{"index": {"ok": True, "lag_blocks": 0, "lag_seconds": 0}}])
