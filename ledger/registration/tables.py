"""Tables of registration: resources, registrations, applications, and the documents whose digests are on the chain.

The state of an application is read from the chain; its content is stored here.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ledger.store.tables import Base, Hex32, Source, Ulid


class Resource(Base, source=Source.DATED):
    """A data resource as first submitted; ``document`` is the full description."""

    __tablename__ = "resource"
    code: Mapped[str] = mapped_column(String(64), primary_key=True)
    provider: Mapped[str] = mapped_column(ForeignKey("party.id"), index=True)
    title: Mapped[str] = mapped_column(String(400))
    document: Mapped[dict[str, Any]]
    content_digest: Mapped[str] = mapped_column(String(80))
    fingerprint: Mapped[str] = mapped_column(Hex32, index=True)
    created_at: Mapped[int] = mapped_column(index=True)


class Registration(Base, source=Source.DATED):
    """The registration of a resource as an asset; its state and holder are read from the chain.

    A resource gets a second registration only after its first registration was rejected, cancelled or annulled.
    """

    __tablename__ = "registration"
    asset_id: Mapped[str] = mapped_column(Hex32, primary_key=True)
    resource_code: Mapped[str] = mapped_column(ForeignKey("resource.code"), index=True)
    applicant: Mapped[str] = mapped_column(ForeignKey("party.id"), index=True)
    reg_no: Mapped[str] = mapped_column(String(64), unique=True)
    external_reg_code: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[int] = mapped_column(index=True)


class Application(Base, source=Source.DATED):
    """An application; ``number`` counts an asset's applications from 1. ``document`` is null if the resource's own
    document applies.

    ``content`` is the digest on the chain. The public notice lasts from ``notice_from`` to ``notice_to`` (seconds UTC,
    both inclusive).
    """

    __tablename__ = "application"
    __table_args__ = (
        UniqueConstraint("asset_id", "number"),
        Index("ix_application_near", "near_fingerprint", "applicant"),
    )
    id: Mapped[str] = mapped_column(Ulid, primary_key=True)
    asset_id: Mapped[str] = mapped_column(ForeignKey("registration.asset_id"))
    number: Mapped[int]
    kind: Mapped[str] = mapped_column(String(16))
    applicant: Mapped[str] = mapped_column(ForeignKey("party.id"), index=True)
    agent: Mapped[str | None] = mapped_column(ForeignKey("party.id"))
    document: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    content: Mapped[str] = mapped_column(Hex32)
    fingerprint: Mapped[str] = mapped_column(Hex32, index=True)
    near_fingerprint: Mapped[str] = mapped_column(Hex32)
    ruleset: Mapped[str] = mapped_column(String(80))
    notice_from: Mapped[int | None]
    notice_to: Mapped[int | None]
    created_at: Mapped[int] = mapped_column(index=True)


class ActDocument(Base, source=Source.DATED):
    """An encrypted document (grounds, terms, a report) whose digest is on the chain, with the salt of the digest."""

    __tablename__ = "evidence"
    digest: Mapped[str] = mapped_column(Hex32, primary_key=True)
    asset_id: Mapped[str] = mapped_column(ForeignKey("registration.asset_id"), index=True)
    kind: Mapped[str] = mapped_column(String(32))
    by: Mapped[str] = mapped_column(ForeignKey("party.id"))
    sealed_id: Mapped[str] = mapped_column(ForeignKey("sealed.id"))
    created_at: Mapped[int] = mapped_column(index=True)
