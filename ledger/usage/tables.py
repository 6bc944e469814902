"""Tables of usage: requests, authorizations, provisions (providers' answers) and claim digests."""

from __future__ import annotations

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ledger.store.tables import Base, Hex32, Source, Ulid, waiting_index


class AccessRequest(Base, source=Source.ENTRIES):
    """A consumer's request. ``digest`` finds the signed statement in the log; the consumer's note is encrypted."""

    __tablename__ = "access_request"
    __table_args__ = (
        waiting_index("ix_access_request_authorised", "id", "state = 'authorised'"),
        waiting_index("ix_access_request_open", "expires_at", "state IN ('seen', 'sent')"),
    )
    id: Mapped[str] = mapped_column(Ulid, primary_key=True)
    digest: Mapped[str] = mapped_column(Hex32, unique=True)
    scenario: Mapped[str] = mapped_column(String(8))
    subject: Mapped[str] = mapped_column(ForeignKey("party.id"), index=True)
    consumer: Mapped[str] = mapped_column(ForeignKey("party.id"), index=True)
    state: Mapped[str] = mapped_column(String(16))
    expires_at: Mapped[int]
    sealed_id: Mapped[str] = mapped_column(ForeignKey("sealed.id"))
    created_at: Mapped[int]


class Authorization(Base, source=Source.ENTRIES):
    """A subject's signed consent to one source. ``digest`` finds the statement in the log; the notice is encrypted."""

    __tablename__ = "authorization"
    __table_args__ = (UniqueConstraint("request_id", "source"),)
    id: Mapped[str] = mapped_column(Ulid, primary_key=True)
    digest: Mapped[str] = mapped_column(Hex32, unique=True)
    request_id: Mapped[str] = mapped_column(ForeignKey("access_request.id"))
    scenario: Mapped[str] = mapped_column(String(8))
    subject: Mapped[str] = mapped_column(ForeignKey("party.id"), index=True)
    consumer: Mapped[str] = mapped_column(ForeignKey("party.id"), index=True)
    source: Mapped[str] = mapped_column(String(64))
    provider: Mapped[str] = mapped_column(ForeignKey("party.id"), index=True)
    state: Mapped[str] = mapped_column(String(16))
    sealed_id: Mapped[str] = mapped_column(ForeignKey("sealed.id"))
    created_at: Mapped[int]


class Provision(Base, source=Source.ENTRIES):
    """A provider's answer to an authorization; the disclosures of its claims are encrypted.

    ``number`` counts the answers to the authorization from 1: a provider can answer again after a time-out or to
    correct its data.
    """

    __tablename__ = "provision"
    __table_args__ = (UniqueConstraint("authorization_id", "number"),)
    id: Mapped[str] = mapped_column(Ulid, primary_key=True)
    authorization_id: Mapped[str] = mapped_column(ForeignKey("authorization.id"))
    number: Mapped[int]
    provider: Mapped[str] = mapped_column(ForeignKey("party.id"), index=True)
    digest: Mapped[str] = mapped_column(Hex32, unique=True)
    result: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(String(32))
    sealed_id: Mapped[str | None] = mapped_column(ForeignKey("sealed.id"))
    created_at: Mapped[int]


class SeenClaim(Base, source=Source.ENTRIES):
    """The digest of a claim in a recorded provision, and the request for which the provider signed the claim."""

    __tablename__ = "seen_claim"
    digest: Mapped[str] = mapped_column(String(43), primary_key=True)
    request_id: Mapped[str] = mapped_column(ForeignKey("access_request.id"), index=True)
