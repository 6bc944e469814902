"""What came back from holders after a restore: entries of batches that the chain holds and no backup has."""

from __future__ import annotations

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from ledger.store.tables import Base


class AdoptedEntry(Base):
    """An entry of a lost batch that a holder's bundle brought back.

    ``proof`` is its inclusion proof as the bundle had it, in hex: with other leaves of the batch missing, the tree
    cannot be built again.
    """

    __tablename__ = "adopted_entry"
    seq: Mapped[int] = mapped_column(ForeignKey("entry.seq"), primary_key=True, autoincrement=False)
    proof: Mapped[list[str]]
