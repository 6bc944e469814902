"""Scenarios and their drafts. Days are Asia/Shanghai, both ends included; money is fen."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, Field

from api.http.schemas import HexId, Strict


class BilingualOut(BaseModel):
    zh: str = Field(examples=["电费贷（企业用电）"])
    en: str = Field(examples=["Credit on electricity history"])


class SourceOut(BaseModel):
    name: str = Field(examples=["electricity"])
    title: BilingualOut
    provider_kinds: list[str] = Field(examples=[["utility"]])
    columns: list[str] = Field(
        description="The columns that the rules read from each row of data.", examples=[["month", "kwh"]]
    )


class ScenarioFieldOut(BaseModel):
    name: str = Field(examples=["usage_band"])
    title: BilingualOut
    source: str = Field(examples=["electricity"])
    type: str = Field(examples=["band"])
    rule: dict[str, Any] = Field(
        description="How the claim is computed, see docs/scenarios.md.",
        examples=[{"op": "band", "column": "kwh", "order": "month", "edges": ["1000", "10000"]}],
    )


class PriceOut(BaseModel):
    use: Literal["public", "industry"] = Field(description="Public use is free.")
    unit: Literal["product", "call", "time", "volume"]
    cap: int = Field(ge=0, examples=[1000])
    amount: int = Field(ge=0, description="The price in fen; not above `cap`.", examples=[200])


class ScenarioOut(BaseModel):
    code: str = Field(examples=["S01"])
    version: int
    guide_version: int
    rule_version: str = Field(description="The rule version, as certificates state it.", examples=["S01/1/engine-2"])
    standing: Literal["documented", "proposed", "demonstration"] = Field(
        description="What the scenario is based on; `basis_note` explains it."
    )
    title: BilingualOut
    purpose: BilingualOut
    basis_note: BilingualOut = Field(description="Explains `standing` to readers; it does not state the law.")
    request_note: BilingualOut | None = Field(description="What the consumer must state in the note of a request.")
    domain: str
    consumer_kinds: list[str]
    subject_kinds: list[str]
    legal_basis: Literal["consent", "separate_consent", "contract", "statutory_duty"]
    requires_pia: bool = Field(description="Whether a request must name an impact assessment.")
    payload_mode: Literal["raw", "aggregate", "predicate", "component"]
    max_validity_days: int
    max_uses: int
    retention_days: int
    pilot_from: date
    pilot_to: date
    channels: list[str]
    price: PriceOut
    grade: str
    sources: list[SourceOut]
    fields: list[ScenarioFieldOut]
    rights_duties: dict[str, list[str]]
    digest: str = Field(description="Digest of the whole definition.")
    approved_by: list[str] = Field(
        description="The roles (`authority`, `supervisor`) that approved exactly this definition."
    )


class ScenarioDraftIn(Strict):
    scenario: dict[str, Any] = Field(description="The whole definition, as in a scenario file.")


class ScenarioDraftOut(BaseModel):
    digest: str
    code: str
    version: int
    definition: dict[str, Any]
    drafted_by: HexId
    created_at: int
    approvals: list[dict[str, Any]]
