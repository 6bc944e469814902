"""Requests and responses of the data catalogue. Times are seconds UTC; ids have 64 hex digits."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from api.http.schemas import Day, HexId, Strict, Ulid
from ledger.domain.reasons import MAX_REASON

Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,63}$", examples=["power/meters-2025"])]
Digest = Annotated[str, Field(pattern=r"^sha-256:[0-9a-f]{64}$", examples=["sha-256:" + "9f" * 32])]
Reason = Annotated[str, Field(min_length=1, max_length=MAX_REASON)]
Grade = Literal["general_1", "general_2", "general_3", "general_4", "important", "core"]


class CatalogueFieldIn(Strict):
    name: str = Field(min_length=1, max_length=200, examples=["kwh"])
    type: str = Field(min_length=1, max_length=64, examples=["decimal"])
    unit: str = Field("", max_length=32)
    pii: Literal["none", "personal", "sensitive"] = "none"
    secrecy: Literal["none", "business_secret", "confidential_business"] = "none"
    grade: Grade = "general_1"


class CatalogueResourceIn(Strict):
    code: Code
    title: str = Field(min_length=1, max_length=400, examples=["企业用电量"])
    package: str = Field("", max_length=200)
    rows: int = Field(0, ge=0)
    columns: int = Field(0, ge=0)
    fields: list[CatalogueFieldIn] = Field(max_length=8192)
    content_digest: Digest
    source_kind: Literal["statutory", "public_service", "authorised_operation", "social"] = "social"
    domain: str = Field("", max_length=64)
    format: str = Field("", max_length=64)
    update_freq: Literal["realtime", "daily", "weekly", "monthly", "quarterly", "yearly", "irregular", "once"] = (
        "irregular"
    )
    time_range: str = Field("", max_length=200)
    spatial_range: str = Field("", max_length=200)
    storage_location: str = Field("", max_length=200)
    storage_mode: str = Field("", max_length=64)
    share_attr: Literal["unconditional", "conditional", "none"] = "conditional"
    share_basis: str = Field("", max_length=400, description="The legal basis, if the resource is not shared.")
    open_attr: Literal["open", "conditional", "none"] = "none"
    system: str = Field("", max_length=64, description="The system's code in the system list.")
    grade: Grade | Literal[""] = Field(
        "",
        description="Not below the highest grade of a field; default: the highest grade of a field.",
    )


class PutResourceIn(Strict):
    resource: CatalogueResourceIn


class ChangeOut(BaseModel):
    code: Code
    verdict: Literal["new", "new_version", "unchanged"]
    version: int
    diff: list[dict[str, Any]]


class CatalogueEntryOut(BaseModel):
    code: Code
    provider: HexId
    state: str
    version: int
    published_version: int | None


class ResourceOut(CatalogueEntryOut):
    shown_version: int
    document_digest: Digest
    resource: dict[str, Any]


class VersionOut(BaseModel):
    code: Code
    version: int
    resource: dict[str, Any]


class HistoryOut(BaseModel):
    code: Code
    events: list[dict[str, Any]]


class DiffOut(BaseModel):
    code: Code
    changes: list[dict[str, Any]]


class CodeIn(Strict):
    code: Code


class ReasonedIn(Strict):
    code: Code
    reason: Reason


class ReviewIn(Strict):
    code: Code
    report_digest: Digest


class ImportIn(Strict):
    name: str = Field(
        max_length=200,
        description="File name; only error messages use it. The kind of file is recognised from the content.",
        examples=["list.csv"],
    )
    content: str = Field(description="The file, base64: CSV, or a workbook of Excel or WPS.")
    fields: str | None = Field(None, description="A second file (CSV, base64) that lists the fields of the resources.")
    encoding: Literal["utf-8", "utf-16", "gb18030"] | None = Field(
        None, description="Encoding of a CSV file; by default the encoding is detected, if it is unambiguous."
    )
    dry_run: bool = Field(True, description="Only report on every row; write nothing.")


class ImportOut(BaseModel):
    committed: bool
    counts: dict[str, int]
    rows: list[dict[str, Any]]
    notes: list[str] = Field(
        description="How the file was read: the detected encoding, and which sheets were left out."
    )


class OfficerIn(Strict):
    department: HexId
    cdo: HexId | None = Field(None, description="The new chief data officer; without this member the appointment ends.")


class OfficerOut(BaseModel):
    department: HexId
    cdo: HexId | None


class SystemIn(Strict):
    code: Code
    name: str = Field(min_length=1, max_length=200)
    protection_level: int = Field(ge=1, le=5, description="The protection level (等保), 1 to 5.")
    status: Literal["planned", "running", "stopped"] = "running"


class SystemOut(SystemIn):
    version: int
    owner: HexId


class ImportantIn(Strict):
    title: str = Field(min_length=1, max_length=200, examples=["地下管线"])
    grade: Literal["important", "core"] = "important"
    pattern: str = Field("", max_length=200, description="Glob for titles.", examples=["*地下管线*"])
    fields: list[str] = Field([], max_length=64, description="A resource matches if it has all these field names.")


class ImportantOut(ImportantIn):
    id: Ulid
    withdrawn: bool


class ImportantListedOut(ImportantOut):
    blocked: list[Code]


class OpenIn(Strict):
    code: Code
    open_type: Literal["free", "targeted", "authorised"] = "free"
    conditions: str = Field("", max_length=400)
    licence: str = Field(min_length=1, max_length=64, examples=["CC-BY-4.0"])


class OpenItemOut(BaseModel):
    code: Code
    number: int
    version: int
    open_type: str
    conditions: str
    licence: str
    created_at: int
    withdrawn_at: int | None


class OpenOut(OpenItemOut):
    resource: dict[str, Any]


class OpenHistoryOut(OpenOut):
    history: list[OpenItemOut]


class DutyIn(Strict):
    code: Code
    department: HexId
    sla_days: int = Field(ge=1, le=1000, description="Working days.")


class DutyOut(DutyIn):
    number: int


class DemandIn(Strict):
    title: str = Field(min_length=1, max_length=200, examples=["企业用电"])
    purpose: str = Field(min_length=1, max_length=400)
    legal_basis: str = Field(min_length=1, max_length=400)
    fields: list[str] = Field(min_length=1, max_length=200, examples=[["kwh", "month"]])
    domain: str = Field("", max_length=64)
    wanted_by: Day | None = None


class DemandOut(BaseModel):
    id: Ulid
    requester: HexId
    title: str
    purpose: str
    domain: str
    fields: list[str]
    legal_basis: str
    wanted_by: str | None
    state: str
    resource: str | None
    due_at: int | None
    overdue: bool
    created_at: int


class DemandHistoryOut(DemandOut):
    history: list[dict[str, Any]]


class CandidateOut(BaseModel):
    code: Code
    score: int = Field(description="The sum of the three numbers of points, in per mille.")
    points: dict[str, int]
    fields: list[str]
    words: list[str]


class WhyIn(Strict):
    reason: Reason
