"""The table of erasures. The table prevents the same erasure from being recorded twice. The log has an entry for each
erasure."""

from __future__ import annotations

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from ledger.store.tables import Base, Hex32, Source


class ErasureRecord(Base, source=Source.ENTRIES):
    """The erasure of a statement's text (``target`` is the statement's digest) or of a party's identity (``target`` is
    the party's id).

    ``digest`` is the digest of the log entry that records the erasure; one entry may name several targets.
    """

    __tablename__ = "erasure"
    target: Mapped[str] = mapped_column(Hex32, primary_key=True)
    subject: Mapped[str] = mapped_column(ForeignKey("party.id"), index=True)
    by: Mapped[str] = mapped_column(ForeignKey("party.id"))
    reason: Mapped[str] = mapped_column(String(32))
    digest: Mapped[str] = mapped_column(Hex32)
    created_at: Mapped[int]
