"""What was erased, so that it is recorded once: the entries in the log are the originals."""

from __future__ import annotations

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from ledger.store.tables import Base, Hex32


class ErasureRecord(Base):
    """The erasure of one target: a certificate's or a provision's text (its leaf hash), a party's identity (its id).

    ``leaf`` is the entry that tells it; one entry may tell several.
    """

    __tablename__ = "erasure"
    target: Mapped[str] = mapped_column(Hex32, primary_key=True)
    subject: Mapped[str] = mapped_column(ForeignKey("party.id"), index=True)
    by: Mapped[str] = mapped_column(ForeignKey("party.id"))
    reason: Mapped[str] = mapped_column(String(32))
    leaf: Mapped[str] = mapped_column(Hex32)
    created_at: Mapped[int]
