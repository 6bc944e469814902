"""Tables of certificates, presentations, disclosures for cases, and operations."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ledger.store.tables import Base, Hex32, Source, Ulid


class Certificate(Base, source=Source.ENTRIES):
    """A data asset certificate. The payload is in the certificate's log entry; the disclosures are stored with the
    provisions that the payload names.

    The first certificate of a request has ``version`` 1; each correction adds a certificate with the next version.
    ``seq`` is the sequence number in the payload. ``max_uses`` is null for a registration certificate, whose uses are
    not counted. ``sealed_id`` is the id of an encrypted copy of the disclosures, which exists if an earlier version of
    this program made the copy, or a holder brought the disclosures back after a loss of data. ``token`` is the signed
    certificate that a holder brought back after a loss of data. Both columns are null for all other certificates.
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


class Presentation(Base, source=Source.ENTRIES):
    """A verification of a usage certificate, issued here or at another installation. The subject can see the
    verification.

    A row with a ``nonce_digest`` is a presentation for a use; ``result`` is ``pending`` until the outcome is known.
    ``presented`` is the digest of the presented certificate and position. For a genuine certificate, ``issuer``,
    ``batch`` and ``index`` are its position, and ``request`` is the statement digest under which its uses are counted.
    ``ordinal`` and ``tx_hash`` belong to the last use that was tried. They are recorded before the use is sent to the
    node. If ``result`` is ``valid``, the chain counted this use.
    """

    __tablename__ = "presentation"
    # Each consumer has its own nonces, so that no other party can use up a consumer's nonce.
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


class Disclosure(Base, source=Source.BACKUP):
    """The record that a supervisor opened a certificate's claims for a case. The subject can see the record."""

    __tablename__ = "disclosure"
    id: Mapped[str] = mapped_column(Ulid, primary_key=True)
    certificate_no: Mapped[str] = mapped_column(ForeignKey("certificate.certificate_no"), index=True)
    by: Mapped[str] = mapped_column(ForeignKey("party.id"))
    case: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[int]


class Operation(Base, source=Source.BACKUP):
    """Work that a call began and that ends later. When the entry with the number ``last_seq`` is anchored, all
    certificates of the operation are anchored.

    The columns from ``mode`` on are null if the certificates were issued in the call itself. For a batch, ``mode`` says
    whether all items are refused if one item is refused. ``stage`` is ``arriving`` until all items are stored, then
    ``working``, then ``handled``, or ``refused`` if nothing was recorded; ``refusal`` then says why. ``total``,
    ``handled`` and ``refused`` count items.
    """

    __tablename__ = "operation"
    id: Mapped[str] = mapped_column(Ulid, primary_key=True)
    party_id: Mapped[str] = mapped_column(Hex32)
    kind: Mapped[str] = mapped_column(String(32))
    last_seq: Mapped[int]
    result: Mapped[dict[str, Any]]
    created_at: Mapped[int]
    mode: Mapped[str | None] = mapped_column(String(16))
    stage: Mapped[str | None] = mapped_column(String(16), index=True)
    total: Mapped[int | None]
    handled: Mapped[int | None]
    refused: Mapped[int | None]
    refusal: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))


class OperationItem(Base, source=Source.BACKUP, erased_with="party_id"):
    """One item of a batch, numbered from 1.

    Until the item is handled, ``sealed_id`` is its content, and ``party_id`` its subject if that party is known: an
    erasure of the subject erases the content. When the item is handled, ``outcome`` becomes ``recorded``, with the ids
    of the records, or ``refused``, with the code, message, place and hint in ``refusal``.
    """

    __tablename__ = "operation_item"
    operation_id: Mapped[str] = mapped_column(ForeignKey("operation.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    party_id: Mapped[str | None] = mapped_column(ForeignKey("party.id"), index=True)
    sealed_id: Mapped[str | None] = mapped_column(ForeignKey("sealed.id"))
    outcome: Mapped[str | None] = mapped_column(String(16))
    records: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    refusal: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
