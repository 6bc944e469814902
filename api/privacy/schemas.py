"""Request and response of an erasure."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from api.http.schemas import CertificateNo, Strict

ErasureReason = Literal["subject_request", "retention_over", "court"]


class ErasureIn(Strict):
    reason: ErasureReason = Field(
        description="`subject_request`: only for the subject; the other reasons: for the issuer or the authority."
    )


class ErasureOut(BaseModel):
    entry: dict[str, Any] = Field(
        description="The log entry of the erasure; if the text was erased earlier, the entry of the first erasure."
    )
    seq: int = Field(description="Number of the entry in the log.")
    certificates: list[CertificateNo] = Field(description="The numbers of the erased certificates.")
    scrubbed: bool = Field(
        description="Whether remains of the text were removed from the database's files. If false, repeat the "
        "erasure; on PostgreSQL the operator removes the remains. The erasure itself is permanent in any case."
    )
