"""A certificate as the use cases return it: what its record says, apart from what is sealed or signed."""

from __future__ import annotations

from dataclasses import dataclass, fields

from ledger.certificates.tables import Certificate


@dataclass(frozen=True, slots=True)
class IssuedCertificate:
    """``digest`` is that of its entry (hex), ``exp`` and ``created_at`` are seconds UTC.

    A usage certificate names ``consumer``, ``request_id`` and ``max_uses``, a registration certificate ``asset_id``.
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
        """The value of a row."""
        return cls(**{field.name: getattr(row, field.name) for field in fields(cls)})
