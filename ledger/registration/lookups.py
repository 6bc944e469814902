"""Registrations by asset, or the error that says there is none."""

from __future__ import annotations

from sqlalchemy.orm import Session

from ledger.errors import NotFound
from ledger.registration.tables import Registration, Resource


def registration(session: Session, asset: str) -> tuple[Registration, Resource]:
    """A registration and its resource; raises ``NotFound`` ``ASSET_UNKNOWN``."""
    row = session.get(Registration, asset)
    if row is None:
        raise NotFound("ASSET_UNKNOWN", "No such asset was registered here.", hint="Check the asset id.")
    return row, session.get_one(Resource, row.resource_code)
