"""The system list (系统清单) contains the information systems that hold the data. Each change of an entry is a new
version.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Final

from sqlalchemy import func, select

from ledger.catalogue import lookups
from ledger.catalogue.tables import InfoSystem
from ledger.catalogue.use_case import UseCase
from ledger.domain.resource import RESOURCE_CODE, SYSTEM_STATUSES
from ledger.errors import Forbidden, InvalidInput
from ledger.parties.permissions import Action
from ledger.parties.roles import Actor, require

MAX_NAME: Final = 200


@dataclass(frozen=True, slots=True)
class SystemEntry:
    """An information system; ``protection_level`` is its level of 等保, 1 to 5."""

    code: str
    name: str
    protection_level: int
    status: str = "running"


@dataclass(frozen=True, slots=True)
class SystemVersion:
    """A version of an entry, as its owner recorded it."""

    code: str
    version: int
    owner: str
    name: str
    protection_level: int
    status: str

    @classmethod
    def of(cls, row: InfoSystem) -> SystemVersion:
        return cls(row.code, row.version, row.owner, row.name, row.protection_level, row.status)


class Systems(UseCase):
    """Records and lists the information systems of all owners."""

    def put(self, actor: Actor, entry: SystemEntry) -> SystemVersion:
        """Record the entry as the next version. If the entry has not changed, nothing is recorded.

        Raises ``InvalidInput`` ``SYSTEM_ENTRY``, ``Forbidden`` ``NOT_THE_OWNER``.
        """
        require(actor, Action.EDIT_RESOURCE, owns=True)
        named = RESOURCE_CODE.fullmatch(entry.code) and entry.name.strip() and len(entry.name) <= MAX_NAME
        if not named or entry.protection_level not in range(1, 6) or entry.status not in SYSTEM_STATUSES:
            raise InvalidInput(
                "SYSTEM_ENTRY",
                "A system needs a code, a name, a protection level of 1 to 5 and a status.",
                hint=f"Statuses: {', '.join(SYSTEM_STATUSES)}.",
            )
        with self._database.write() as session:
            last = lookups.system(session, entry.code)
            if last is not None and last.owner != actor.party:
                raise Forbidden("NOT_THE_OWNER", "The system belongs to another party.", where=f"system {entry.code}")
            if last is not None and SystemEntry(last.code, last.name, last.protection_level, last.status) == entry:
                return SystemVersion.of(last)
            row = InfoSystem(
                **asdict(entry),
                version=1 if last is None else last.version + 1,
                owner=actor.party,
                created_at=self._clock(),
            )
            session.add(row)
            return SystemVersion.of(row)

    def page(self, after: str | None, limit: int) -> list[SystemVersion]:
        """Return the newest version of each system, ordered by code; the page starts after the code ``after``."""
        newest = select(InfoSystem.code, func.max(InfoSystem.version).label("version")).group_by(InfoSystem.code)
        latest = newest.subquery()
        query = (
            select(InfoSystem)
            .join(latest, (latest.c.code == InfoSystem.code) & (latest.c.version == InfoSystem.version))
            .order_by(InfoSystem.code)
            .limit(limit)
        )
        if after:
            query = query.where(InfoSystem.code > after)
        with self._database.read() as session:
            return [SystemVersion.of(row) for row in session.scalars(query)]
