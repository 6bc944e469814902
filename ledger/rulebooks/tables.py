"""Tables of drafts of scenarios and of their approvals."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from ledger.store.tables import Base, Source


class ScenarioDraft(Base, source=Source.BACKUP):
    """A draft of a scenario; ``digest`` is the digest of the whole definition."""

    __tablename__ = "scenario_draft"
    digest: Mapped[str] = mapped_column(String(80), primary_key=True)
    code: Mapped[str] = mapped_column(String(8))
    version: Mapped[int]
    document: Mapped[dict[str, Any]]
    drafted_by: Mapped[str] = mapped_column(ForeignKey("party.id"))
    created_at: Mapped[int]


class ScenarioApproval(Base, source=Source.BACKUP):
    """The approval of a draft by a party in the role ``authority`` or ``supervisor``."""

    __tablename__ = "scenario_approval"
    digest: Mapped[str] = mapped_column(ForeignKey("scenario_draft.digest"), primary_key=True)
    office: Mapped[str] = mapped_column(String(16), primary_key=True)
    by: Mapped[str] = mapped_column(ForeignKey("party.id"))
    created_at: Mapped[int]
