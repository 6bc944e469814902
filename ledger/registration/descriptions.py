"""The description of a resource that is in force: it comes from the last confirmed application that changed the
description.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    """Finds the description whose digest the chain has confirmed."""

    def __init__(self, database: Database, follower: Follower) -> None:
        self._database = database
        self._follower = follower

    def in_force(self, asset: str) -> dict[str, Any]:
        """Return the description in force. Raises ``NotFound`` ``ASSET_UNKNOWN``."""
        self.refresh([asset])
        with self._database.read() as session:
            return application_document(session, self.application(session, asset))

    def refresh(self, asset_ids: Sequence[str]) -> None:
        """Bring the index up to date if one of the assets has more than one description, because only the index says
        which one is in force. Call this before a transaction begins.
        """
        query = (
            select(Application.asset_id)
            .where(Application.asset_id.in_(asset_ids), Application.kind.in_(DESCRIBING))
            .group_by(Application.asset_id)
            .having(func.count() > 1)
            .limit(1)
        )
        with self._database.read() as session:
            described_again = session.scalar(query) is not None
        if described_again:
            self._follower.sync()

    def application(self, session: Session, asset: str) -> Application:
        """Return the application whose description is in force. Raises ``NotFound`` ``ASSET_UNKNOWN``."""
        registration(session, asset)
        return describing(session, applications(session, [asset]))[asset]


def applications(session: Session, assets: Sequence[str]) -> dict[str, list[Application]]:
    """Return the applications of each asset in the order of filing; the first application is the first registration."""
    found: dict[str, list[Application]] = {asset: [] for asset in assets}
    query = select(Application).where(Application.asset_id.in_(assets)).order_by(Application.number)
    for row in session.scalars(query):
        found[row.asset_id].append(row)
    return found


def describing(session: Session, filed: Mapping[str, Sequence[Application]]) -> dict[str, Application]:
    """Return for each asset id the application whose description is in force.

    The index says which description is confirmed. Before any confirmation, the first application is returned.
    """
    query = select(ASSETS.c.id, ASSETS.c.content).where(ASSETS.c.id.in_(filed))
    confirmed = {row.id: row.content for row in session.execute(query)}
    found = {}
    for asset, rows in filed.items():
        described = [row for row in rows if row.kind in DESCRIBING]
        newest_first = (row for row in reversed(described) if row.content == confirmed.get(asset))
        found[asset] = next(newest_first, described[0])
    return found


def application_document(session: Session, row: Application) -> dict[str, Any]:
    """Return the description that an application gives of its resource."""
    if row.document is not None:
        return row.document
    _, resource = registration(session, row.asset_id)
    return resource.document
