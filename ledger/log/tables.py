"""Tables of the log: entries that holders brought back after a loss of data, and requests with idempotency keys."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from ledger.store.tables import Base, Hex32, Source


class AdoptedEntry(Base, source=Source.ENTRIES):
    """An entry of a lost batch that a holder brought back with a bundle.

    ``proof`` is the inclusion proof from the bundle (hex). The tree cannot be built again, because other leaves of the
    batch are missing.
    """

    __tablename__ = "adopted_entry"
    seq: Mapped[int] = mapped_column(ForeignKey("entry.seq"), primary_key=True, autoincrement=False)
    proof: Mapped[list[str]]


class IdempotentRequest(Base, source=Source.BACKUP):
    """A write with an ``Idempotency-Key``; ``key`` is the header's keyed digest.

    ``response`` is null while the write runs.
    """

    __tablename__ = "idempotent_request"
    party_id: Mapped[str] = mapped_column(Hex32, primary_key=True)
    key: Mapped[str] = mapped_column(String(128), primary_key=True)
    request_digest: Mapped[str] = mapped_column(String(80))
    status: Mapped[int | None]
    response: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    created_at: Mapped[int]
