"""Tables of certificates, what is known of their verifications, and work that waits for its anchor."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ledger.store.tables import Base, Hex32, Ulid


class Certificate(Base):
    """A data asset certificate; its entry is the payload, the disclosures are sealed.

    A request has one certificate (``version`` 1), and another for each correction. ``seq`` is the number that it
    states. ``max_uses`` is null for a registration certificate, which is not used up.
    """

    __tablename__ = "certificate"
    __table_args__ = (
        UniqueConstraint("request_id", "version"),
        Index("ix_certificate_subject_no", "subject", "certificate_no"),
        Index("ix_certificate_consumer_no", "consumer", "certificate_no"),
    )
    certificate_no: Mapped[str] = mapped_column(String(32), primary_key=True)
    cls: Mapped[str] = mapped_column("class", String(16))
    seq: Mapped[int] = mapped_column(unique=True)
    digest: Mapped[str] = mapped_column(Hex32, unique=True)
    scenario: Mapped[str] = mapped_column(String(8))
    issuer: Mapped[str] = mapped_column(Hex32)
    subject: Mapped[str] = mapped_column(Hex32)
    consumer: Mapped[str | None] = mapped_column(Hex32)
    request_id: Mapped[str | None] = mapped_column(ForeignKey("access_request.id"))
    version: Mapped[int] = mapped_column(default=1)
    asset_id: Mapped[str | None] = mapped_column(ForeignKey("registration.asset_id"), index=True)
    supersedes: Mapped[str | None] = mapped_column(String(32), unique=True)
    exp: Mapped[int]
    max_uses: Mapped[int | None]
    sealed_id: Mapped[str | None] = mapped_column(ForeignKey("sealed.id"))
    token: Mapped[str | None]
    created_at: Mapped[int]


class Presentation(Base):
    """A verification of a usage certificate, recorded for the subject; another installation may have issued it.

    With ``nonce_digest`` it was presented to be used: ``pending`` until it is known how that ended. ``presented`` is
    the digest of what was presented. ``issuer``, ``batch`` and ``index`` are where a genuine certificate stands,
    ``request`` is the statement digest under which its uses are counted. ``ordinal`` and ``tx_hash`` are of the use
    that was tried last, recorded before the node had it: of one that counted if the result is ``valid``.
    """

    __tablename__ = "presentation"
    # A consumer gives its nonces to holders alone, and no other consumer can take them.
    __table_args__ = (UniqueConstraint("consumer", "nonce_digest"),)
    id: Mapped[str] = mapped_column(Ulid, primary_key=True)
    certificate_no: Mapped[str] = mapped_column(String(32), index=True)
    consumer: Mapped[str] = mapped_column(Hex32)
    nonce_digest: Mapped[str | None] = mapped_column(String(80))
    presented: Mapped[str | None] = mapped_column(String(80))
    fields: Mapped[list[str]]
    issuer: Mapped[int | None]
    batch: Mapped[int | None]
    index: Mapped[int | None]
    request: Mapped[str | None] = mapped_column(Hex32)
    ordinal: Mapped[int | None]
    tx_hash: Mapped[str | None] = mapped_column(Hex32)
    result: Mapped[str] = mapped_column(String(48), index=True)
    created_at: Mapped[int]


class Disclosure(Base):
    """A payload opened for a case by a supervisor; told to the subject."""

    __tablename__ = "disclosure"
    id: Mapped[str] = mapped_column(Ulid, primary_key=True)
    certificate_no: Mapped[str] = mapped_column(ForeignKey("certificate.certificate_no"), index=True)
    by: Mapped[str] = mapped_column(ForeignKey("party.id"))
    case: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[int]


class Operation(Base):
    """Accepted work whose entries wait for their batch; done when ``last_seq`` is anchored."""

    __tablename__ = "operation"
    id: Mapped[str] = mapped_column(Ulid, primary_key=True)
    party_id: Mapped[str] = mapped_column(Hex32)
    kind: Mapped[str] = mapped_column(String(32))
    last_seq: Mapped[int]
    result: Mapped[dict[str, Any]]
    created_at: Mapped[int]
