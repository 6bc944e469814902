"""Makes rows of a table to import, and counts the rows that the data list has."""

from __future__ import annotations

from sqlalchemy import func, select

from ledger.catalogue.tables import CatalogueResource, ResourceEvent, ResourceVersion
from tests.support.actors.department import Department

DIGEST = f"sha-256:{'0' * 64}"


def row(code: str, **cells: str) -> dict[str, str]:
    return {"code": code, "title": f"资源 {code}", "fields": "month:date;kwh:decimal", "content_digest": DIGEST} | cells


def stored(office: Department) -> list[int]:
    with office.ledger.database.read() as session:
        return [
            session.scalar(select(func.count()).select_from(table)) or 0
            for table in (CatalogueResource, ResourceVersion, ResourceEvent)
        ]
