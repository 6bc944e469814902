"""The record of a certificate that use cases return. It contains no encrypted claims and no signature."""

from __future__ import annotations

from dataclasses import dataclass, fields

from ledger.certificates.tables import Certificate


@dataclass(frozen=True, slots=True)
class IssuedCertificate:
    """The record of a certificate. ``digest`` is the digest of its log entry (hex); ``exp`` and ``created_at`` are
    seconds UTC.

    Only usage certificates have ``consumer``, ``request_id`` and ``max_uses``; only registration certificates have
    ``asset_id``.
    """

    certificate_no: str
    cls: str
    seq: int
    digest: str
    scenario: str
    issuer: str
    subject: str
    consumer: str | None
    request_id: str | None
    version: int
    asset_id: str | None
    supersedes: str | None
    exp: int
    max_uses: int | None
    created_at: int

    @classmethod
    def of(cls, row: Certificate) -> IssuedCertificate:
        """Copy the public columns of a row."""
        return cls(**{field.name: getattr(row, field.name) for field in fields(cls)})
