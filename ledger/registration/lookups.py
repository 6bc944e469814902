"""Find registrations by asset or resource, or raise ``NotFound``."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.errors import NotFound
from ledger.registration.tables import Registration, Resource
from ledger.store.database import Database


def registration(session: Session, asset: str) -> tuple[Registration, Resource]:
    """Return a registration and its resource. Raises ``NotFound`` ``ASSET_UNKNOWN``."""
    row = session.get(Registration, asset)
    if row is None:
        raise unknown_asset()
    return row, session.get_one(Resource, row.resource_code)


def unknown_asset() -> NotFound:
    """Return the error for an asset that is not registered here."""
    return NotFound("ASSET_UNKNOWN", "No asset with this id was registered here.", hint="Check the asset id.")


def newest_registration(database: Database, code: str) -> str:
    """Return the asset id of a resource's newest registration. Raises ``NotFound`` ``ASSET_UNKNOWN``."""
    newest = Registration.created_at.desc(), Registration.reg_no.desc()
    query = select(Registration.asset_id).where(Registration.resource_code == code).order_by(*newest).limit(1)
    with database.read() as session:
        found = session.scalar(query)
    if found is None:
        raise NotFound(
            "ASSET_UNKNOWN",
            "No asset has this id or resource code.",
            where=code[:64],
            hint="List the assets: `pingzheng asset list`.",
        )
    return found
