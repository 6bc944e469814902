"""Requests and responses of erasures."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from api.http.schemas import CertificateNo, Strict

ErasureReason = Literal["subject_request", "retention_over", "court"]


class ErasureIn(Strict):
    reason: ErasureReason = Field(
        description="`subject_request` is the subject's own; the others are the issuer's or the authority's."
    )


class ErasureOut(BaseModel):
    entry: dict[str, Any] = Field(description="The erasure as it stands in the log; erased before: as it was then.")
    seq: int = Field(description="Number of the entry in the log.")
    certificates: list[CertificateNo] = Field(description="Certificates of the subject that are erased by now.")
    scrubbed: bool = Field(
        description="Whether the database's files are known to hold nothing of it either; if not, erasing again tries "
        "again (on PostgreSQL that is for the operator). It is erased for good in any case."
    )
