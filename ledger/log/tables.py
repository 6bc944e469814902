"""What came back from holders after a restore: entries of batches that the chain holds and no backup has."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from ledger.store.tables import Base, Hex32


class AdoptedEntry(Base):
    """An entry of a lost batch that a holder's bundle brought back.

    ``proof`` is its inclusion proof as the bundle had it, in hex: with other leaves of the batch missing, the tree
    cannot be built again.
    """

    __tablename__ = "adopted_entry"
    seq: Mapped[int] = mapped_column(ForeignKey("entry.seq"), primary_key=True, autoincrement=False)
    proof: Mapped[list[str]]


class IdempotentRequest(Base):
    """A write under an ``Idempotency-Key``, of which ``key`` is a keyed digest; ``response`` is null while it runs."""

    __tablename__ = "idempotent_request"
    party_id: Mapped[str] = mapped_column(Hex32, primary_key=True)
    key: Mapped[str] = mapped_column(String(128), primary_key=True)
    request_digest: Mapped[str] = mapped_column(String(80))
    status: Mapped[int | None]
    response: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    created_at: Mapped[int]
