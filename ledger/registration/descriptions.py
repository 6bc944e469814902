"""The description of a resource that is in force: it comes from the last confirmed application that changed the
description.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from ledger.domain.assets.names import DESCRIBING
from ledger.index.follower import Follower
from ledger.index.tables import ASSETS
from ledger.registration.lookups import registration
from ledger.registration.tables import Application, Registration, Resource
from ledger.store.database import Database
from ledger.store.sets import matching

Filed = Row[*tuple[Any, ...]]
"""A row of the table of applications."""


class Descriptions:
    """Finds the description whose digest the chain has confirmed."""

    def __init__(self, database: Database, follower: Follower) -> None:
        self._database = database
        self._follower = follower

    def in_force(self, asset: str) -> dict[str, Any]:
        """Return the description in force. Raises ``NotFound`` ``ASSET_UNKNOWN``."""
        self.refresh([asset])
        with self._database.read() as session:
            registration(session, asset)
            in_force = describing(session, applications(session, [asset]))
            return documents(session, in_force.values())[asset]

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


def applications(session: Session, assets: Sequence[str]) -> dict[str, list[Filed]]:
    """Return the applications of each asset in the order of filing; the first application is the first registration."""
    found: dict[str, list[Filed]] = {asset: [] for asset in assets}
    query = select(*Application.__table__.c).order_by(Application.number)
    for row in matching(session, query, Application.asset_id, assets):
        found[row.asset_id].append(row)
    return found


def describing(session: Session, filed: Mapping[str, Sequence[Filed]]) -> dict[str, Filed]:
    """Return for each asset id the application whose description is in force.

    The index says which description is confirmed. Before any confirmation, the first application is returned.
    """
    again = [asset for asset, rows in filed.items() if sum(row.kind in DESCRIBING for row in rows) > 1]
    indexed = matching(session, select(ASSETS.c.id, ASSETS.c.content), ASSETS.c.id, again)
    confirmed = {row.id: row.content for row in indexed}
    found = {}
    for asset, rows in filed.items():
        described = [row for row in rows if row.kind in DESCRIBING]
        newest_first = (row for row in reversed(described) if row.content == confirmed.get(asset))
        found[asset] = next(newest_first, described[0])
    return found


def documents(session: Session, rows: Iterable[Filed]) -> dict[str, dict[str, Any]]:
    """Return for each asset id the description that the application gives of the asset's resource."""
    found = {row.asset_id: row.document for row in rows}
    query = select(Registration.asset_id, Resource.document).join(Resource, Resource.code == Registration.resource_code)
    unchanged = (asset for asset, document in found.items() if document is None)
    for row in matching(session, query, Registration.asset_id, unchanged):
        found[row.asset_id] = row.document
    return found
