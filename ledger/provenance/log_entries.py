"""Return log entries with their content to parties that may read the full log, and to the parties of an entry."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.catalogue.tables import CatalogueResource
from ledger.domain.entries import concerned, referred
from ledger.errors import NotFound
from ledger.log.positions import positions
from ledger.parties.permissions import Action
from ledger.parties.principals import Principals
from ledger.parties.roles import Actor, require
from ledger.proof.bundle import Position
from ledger.store import log as log_store
from ledger.store.database import Database
from ledger.store.tables import Entry


class LogEntries:
    """Reads entries. Sealed texts are not part of an entry."""

    def __init__(self, database: Database, principals: Principals) -> None:
        self._database = database
        self._principals = principals

    def page(self, actor: Actor, after: int, limit: int) -> list[dict[str, Any]]:
        """Return the entries with numbers above ``after``, in order, to a party that may read the full log."""
        require(actor, Action.READ_LOG)
        with self._database.read() as session:
            rows = session.scalars(select(Entry).where(Entry.seq > after).order_by(Entry.seq).limit(limit)).all()
            places = positions(session, [row.digest for row in rows])
            return [_shown(row, places.get(row.digest)) for row in rows]

    def get(self, actor: Actor, seq: int) -> dict[str, Any]:
        """Return one entry to a party of the entry, or to a party that may read the full log; raises ``NotFound``
        ``ENTRY_UNKNOWN``, ``Forbidden``.
        """
        with self._database.read() as session:
            row = session.get(Entry, seq)
            if row is None:
                raise NotFound("ENTRY_UNKNOWN", f"The log has no entry {seq}.")
            own = not _parties(session, row).isdisjoint(self._principals.of(actor))
            place = positions(session, [row.digest]).get(row.digest)
        require(actor, Action.READ_LOG, owns=own)
        return _shown(row, place)


def _parties(session: Session, row: Entry) -> set[str]:
    """Return the parties that are named in the entry, or in the entries to which it refers."""
    entry = json.loads(row.body)
    found = concerned(entry)
    for other in log_store.entries_by_digest(session, referred(entry)).values():
        found |= concerned(json.loads(other.body))
    if entry["type"] == "publication":
        listed = session.get(CatalogueResource, entry["resource"])
        found |= set() if listed is None else {listed.provider}
    return found


def _shown(row: Entry, place: Position | None) -> dict[str, Any]:
    return {
        "seq": row.seq,
        "type": row.type,
        "leaf": row.leaf,
        "digest": row.digest,
        "position": None if place is None else place.to_dict(),
        "entry": json.loads(row.body),
    }
