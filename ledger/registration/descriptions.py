"""Which description of a resource is in force: that of the last confirmed application which changed it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ledger.domain.assets.names import DESCRIBING
from ledger.index.follower import Follower
from ledger.index.tables import ASSETS
from ledger.registration.lookups import registration
from ledger.registration.tables import Application
from ledger.store.database import Database


class Descriptions:
    """Finds the document behind the content that the chain has confirmed."""

    def __init__(self, database: Database, follower: Follower) -> None:
        self._database = database
        self._follower = follower

    def in_force(self, asset: str) -> dict[str, Any]:
        """The description in force; raises ``NotFound`` ``ASSET_UNKNOWN``."""
        self.refresh([asset])
        with self._database.read() as session:
            return application_document(session, self.application(session, asset))

    def refresh(self, asset_ids: Sequence[str]) -> None:
        """Bring the index up to date, if one of the assets was ever described anew; before a transaction."""
        query = (
            select(Application.asset_id)
            .where(Application.asset_id.in_(asset_ids), Application.kind.in_(DESCRIBING))
            .group_by(Application.asset_id)
            .having(func.count() > 1)
            .limit(1)
        )
        with self._database.read() as session:
            described_anew = session.scalar(query) is not None
        if described_anew:
            self._follower.sync()

    def application(self, session: Session, asset: str) -> Application:
        """The application whose description is in force, by the index; before a confirmation, the first."""
        registration(session, asset)
        rows = [row for row in applications(session, asset) if row.kind in DESCRIBING]
        if len(rows) == 1:
            return rows[0]
        content = session.scalar(select(ASSETS.c.content).where(ASSETS.c.id == asset))
        return next((row for row in reversed(rows) if row.content == content), rows[0])


def applications(session: Session, asset: str) -> list[Application]:
    """An asset's applications in order; the first is its first registration."""
    query = select(Application).where(Application.asset_id == asset).order_by(Application.number)
    return list(session.scalars(query))


def application_document(session: Session, row: Application) -> dict[str, Any]:
    """The resource as the application describes it."""
    if row.document is not None:
        return row.document
    _, resource = registration(session, row.asset_id)
    return resource.document
