"""Records many descriptions at once. Each description is first compared with the present entry of its resource. Then
all descriptions are written with few SQL statements.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ledger.catalogue.entry_history import Change, change_of
from ledger.catalogue.states import RESOURCE
from ledger.catalogue.tables import CatalogueResource, InfoSystem, ResourceEvent, ResourceVersion
from ledger.domain.assets.identity import document_digest
from ledger.domain.resource import DataResource
from ledger.errors import Busy

# The maximum number of codes in one SQL statement, because databases limit the number of parameters.
CHUNK: Final = 500
T = TypeVar("T")


# An entry's provider, state and version when the entry was read. If one of the three has changed when the entry is
# written, another writer has changed the entry in between.
Mark = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class Staged:
    """A description that is ready to be written, and what it changes in its entry."""

    change: Change
    document: dict[str, Any]
    digest: str
    mark: Mark | None

    @property
    def code(self) -> str:
        """Return the code of the resource."""
        return str(self.document["code"])


class Known:
    """The present entries and systems that an imported table names, read with few queries from one snapshot of the
    database.
    """

    def __init__(self, session: Session, codes: Iterable[str], systems: Iterable[str]) -> None:
        self._entries: dict[str, tuple[CatalogueResource, Mapping[str, Any]]] = {}
        for some in chunks(sorted(set(codes))):
            found = session.execute(
                select(CatalogueResource, ResourceVersion.document)
                .join(ResourceVersion, ResourceVersion.code == CatalogueResource.code)
                .where(CatalogueResource.code.in_(some), ResourceVersion.version == CatalogueResource.version)
            )
            self._entries.update({row.code: (row, document) for row, document in found})
        self._systems: set[str] = set()
        for some in chunks(sorted(set(systems))):
            self._systems.update(session.scalars(select(InfoSystem.code).where(InfoSystem.code.in_(some))))

    def staged(self, provider: str, resource: DataResource) -> Staged:
        """Return the description ``resource`` of this provider, ready to be written. Raises the errors of
        ``Catalogue.put``.
        """
        present = self._entries.get(resource.code)
        change = change_of(provider, resource, present, self._systems)
        document = resource.to_dict()
        mark = None if present is None else (present[0].provider, present[0].state, present[0].version)
        return Staged(change, document, document_digest(document), mark)


def write_staged(session: Session, provider: str, staged: Sequence[Staged], now: int) -> bool:
    """Write the planned descriptions. Every ``CHUNK`` rows need the same small number of SQL statements.

    Writes nothing and returns ``False`` if an entry has changed since it was read. Raises ``Busy`` ``CATALOGUE_BUSY``
    if another import writes the same codes at the same time.
    """
    changed = [item for item in staged if item.change.verdict != "unchanged"]
    marks = {item.code: item.mark for item in staged}
    for some in chunks(sorted(marks)):
        rows = session.execute(
            select(
                CatalogueResource.code, CatalogueResource.provider, CatalogueResource.state, CatalogueResource.version
            )
            .where(CatalogueResource.code.in_(some))
            .with_for_update()
        )
        at_present = {row.code: (row.provider, row.state, row.version) for row in rows}
        if any(at_present.get(code) != marks[code] for code in some):
            return False
    try:
        for items in chunks(changed):
            _write(session, provider, items, now)
    except IntegrityError as error:
        raise overtaken() from error
    return True


def overtaken() -> Busy:
    """Return the error for a change that failed because other writers changed the same entries."""
    return Busy(
        "CATALOGUE_BUSY",
        "Another import is changing the same entries of the data list, so nothing was written.",
        hint="Try again.",
        retry_after=1,
    )


def _write(session: Session, provider: str, items: Sequence[Staged], now: int) -> None:
    new = [item for item in items if item.mark is None]
    old = [item for item in items if item.mark is not None]
    if new:
        session.execute(insert(CatalogueResource), [_entry(item, provider, now) for item in new])
    if old:
        table: Any = CatalogueResource.__table__
        statement = (
            update(table).where(table.c.code == bindparam("of")).values(state=bindparam("to"), version=bindparam("at"))
        )
        session.connection().execute(
            statement, [{"of": item.code, "to": _state(item), "at": item.change.version} for item in old]
        )
    versions = [
        {
            "code": item.code,
            "version": item.change.version,
            "document": item.document,
            "document_digest": item.digest,
            "created_by": provider,
            "created_at": now,
        }
        for item in items
    ]
    session.execute(insert(ResourceVersion), versions)
    numbers = _last_numbers(session, [item.code for item in old]) if old else {}
    events = [
        {
            "code": item.code,
            "number": numbers.get(item.code, 0) + 1,
            "version": item.change.version,
            "move": "edit",
            "state": _state(item),
            "by": provider,
            "reason": None,
            "at": now,
        }
        for item in items
    ]
    session.execute(insert(ResourceEvent), events)


def _entry(item: Staged, provider: str, now: int) -> dict[str, Any]:
    return {
        "code": item.code,
        "provider": provider,
        "state": _state(item),
        "version": item.change.version,
        "published_version": None,
        "created_at": now,
    }


def _state(item: Staged) -> str:
    return RESOURCE.next(item.mark[1] if item.mark else RESOURCE.initial, "edit")


def _last_numbers(session: Session, codes: Sequence[str]) -> dict[str, int]:
    rows = session.execute(
        select(ResourceEvent.code, func.max(ResourceEvent.number))
        .where(ResourceEvent.code.in_(codes))
        .group_by(ResourceEvent.code)
    )
    return {row[0]: row[1] for row in rows}


def chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """Yield the items in portions of at most ``CHUNK``."""
    yield from (items[start : start + CHUNK] for start in range(0, len(items), CHUNK))
