"""What was erased, so that nothing is erased twice: the entry in the log is the original."""

from __future__ import annotations

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from ledger.store.tables import Base, Hex32


class ErasureRecord(Base):
    """The erasure of a certificate (``target``: its leaf hash) or of a party's identity (its id)."""

    __tablename__ = "erasure"
    target: Mapped[str] = mapped_column(Hex32, primary_key=True)
    subject: Mapped[str] = mapped_column(ForeignKey("party.id"), index=True)
    by: Mapped[str] = mapped_column(ForeignKey("party.id"))
    reason: Mapped[str] = mapped_column(String(32))
    leaf: Mapped[str] = mapped_column(Hex32, unique=True)
    created_at: Mapped[int]
