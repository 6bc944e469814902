"""The table that records who has read data about a subject."""

from __future__ import annotations

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from ledger.store.tables import Base, Hex32, Source, Ulid

Account = String(42)


class Reading(Base, source=Source.BACKUP):
    """The record that a party received fields of a certificate or of a provision; ``how`` is a value of
    ``readings.How``."""

    __tablename__ = "reading"
    __table_args__ = (Index("ix_reading_subject", "subject", "id"),)
    id: Mapped[str] = mapped_column(Ulid, primary_key=True)
    subject: Mapped[str] = mapped_column(Hex32)
    by: Mapped[str] = mapped_column(Hex32)
    certificate_no: Mapped[str | None] = mapped_column(String(32))
    how: Mapped[str] = mapped_column(String(16))
    fields: Mapped[list[str]]
    created_at: Mapped[int]
