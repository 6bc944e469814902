"""Write the rows of assets. ``ledger.proof.assets.history.apply`` alone defines how an event changes an asset.

A step reads the rows of the assets in its events, applies all events in memory, and then writes the rows that changed.
So the number of SQL statements does not grow with the number of events, and no earlier events are read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Table, and_, bindparam, delete, insert, select

from ledger.domain.assets.lineage import REPLACED_BY
from ledger.index.events import IndexedEvent
from ledger.index.tables import ASSETS, LIENS, LINEAGE, OBJECTIONS, RIGHTS
from ledger.proof.assets.history import apply
from ledger.proof.assets.view import AssetView, Lien, Objection, Right, by_rank
from ledger.proof.history import HistoryEvent

_PER_QUERY: Final = 500
# Maps the name of a field of ``AssetView`` to the name of the field's column, if the two names differ.
_FIELDS: Final[Mapping[str, str]] = {
    "id": "asset",
    "holder_no": "holder",
    "grantee_no": "grantee",
    "creditor_no": "creditor",
    "objector_no": "objector",
}
# For each column that cannot be NULL: the value that is stored if the field is None.
_NOTHING: Final[Mapping[str, Any]] = {
    "kind": "",
    "stage": "",
    "offered_to": 0,
    "parent": 0,
    "consent_to": 0,
    "decided_at": 0,
}
_Items = dict[tuple[Any, ...], Any]


def project_assets(connection: Connection, events: Iterable[IndexedEvent]) -> None:
    """Apply events of assets, in the order of the chain, to the rows of the index."""
    histories: dict[str, list[IndexedEvent]] = defaultdict(list)
    for event in events:
        histories[event.args["id"]].append(event)
    assets = sorted(histories)
    for start in range(0, len(assets), _PER_QUERY):
        _project(connection, {asset: histories[asset] for asset in assets[start : start + _PER_QUERY]})


def _project(connection: Connection, histories: Mapping[str, Sequence[IndexedEvent]]) -> None:
    stored = _views(connection, list(histories))
    folded: dict[str, AssetView] = {}
    relations: list[dict[str, Any]] = []
    for asset, events in histories.items():
        view = stored.get(asset, AssetView(at=0))
        for event in events:
            before, view = view, apply(view, HistoryEvent(f"{event.contract}.{event.name}", event.args))
            relations += _relations(before, view, event)
        folded[asset] = view
    old, new = _items(stored.values()), _items(folded.values())
    for table in (ASSETS, OBJECTIONS, RIGHTS, LIENS):
        _replace(connection, table, old[table], new[table])
    if relations:
        connection.execute(insert(LINEAGE), relations)


def _views(connection: Connection, assets: Sequence[str]) -> dict[str, AssetView]:
    """Return the assets as views to which events can be applied.

    The views do not contain relations and reports, because events only add new relations and reports. They do not
    contain the terms of liens, because the effect of an event never depends on these terms.
    """
    objections: dict[str, list[Objection]] = defaultdict(list)
    rights: dict[str, list[Right]] = defaultdict(list)
    liens: dict[str, list[Lien]] = defaultdict(list)
    for row in _stored(connection, OBJECTIONS, assets):
        objections[row.pop("asset")].append(Objection(**row))
    for row in _stored(connection, RIGHTS, assets):
        rights[row.pop("asset")].append(Right(**row))
    for row in _stored(connection, LIENS, assets):
        liens[row.pop("asset")].append(Lien(**row, terms=""))
    views = {}
    for row in _stored(connection, ASSETS, assets):
        asset = row["asset"]
        row |= {"objections": tuple(objections[asset]), "rights": tuple(rights[asset]), "liens": by_rank(liens[asset])}
        views[asset] = AssetView(at=0, **row)
    return views


def _stored(connection: Connection, table: Table, assets: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield the rows of the assets in a table. The keys of a row are the field names of ``AssetView`` or of its
    parts.
    """
    columns = [column.name for column in table.c]
    fields = [_FIELDS.get(column, column) for column in columns]
    empty = [(_FIELDS.get(column, column), value) for column, value in _NOTHING.items() if column in columns]
    asset = table.c.id if table is ASSETS else table.c.asset
    for found in connection.execute(select(table).where(asset.in_(assets)).order_by(*table.primary_key)):
        row = dict(zip(fields, found, strict=True))
        yield row | {field: None for field, nothing in empty if row[field] == nothing}


def _items(views: Iterable[AssetView]) -> dict[Table, _Items]:
    """Return the rows that describe the assets: for each table, a map from primary key to row."""
    found: dict[Table, _Items] = {ASSETS: {}, OBJECTIONS: {}, RIGHTS: {}, LIENS: {}}
    for view in views:
        found[ASSETS][view.asset,] = view
        found[OBJECTIONS] |= {(view.asset, each.no): each for each in view.objections}
        found[RIGHTS] |= {(view.asset, each.no): each for each in view.rights}
        found[LIENS] |= {(view.asset, each.lien): each for each in view.liens}
    return found


def _replace(connection: Connection, table: Table, old: _Items, new: _Items) -> None:
    """Write the rows that changed, and delete the rows that no longer exist."""
    keys = [column.name for column in table.primary_key]
    gone = [dict(zip(keys, key, strict=True)) for key, item in old.items() if new.get(key) != item]
    rows = [_row(table, item, key[0]) for key, item in new.items() if old.get(key) != item]
    if gone:
        same = and_(*(column == bindparam(column.name) for column in table.primary_key))
        connection.execute(delete(table).where(same), gone)
    if rows:
        connection.execute(insert(table), rows)


def _row(table: Table, item: Any, asset: str) -> dict[str, Any]:
    more = {"objections": len(item.open_objections)} if table is ASSETS else {"asset": asset}
    columns = [column.name for column in table.c if column.name not in more]
    values = {column: getattr(item, _FIELDS.get(column, column)) for column in columns}
    return more | {column: _NOTHING[column] if value is None else value for column, value in values.items()}


def _relations(before: AssetView, after: AssetView, event: IndexedEvent) -> list[dict[str, Any]]:
    """Return the rows that an event adds to the table of relations between assets (lineage)."""
    successors = after.successors[len(before.successors) :]
    return [
        {
            "block_number": event.block_number,
            "log_index": event.log_index,
            "asset": after.asset,
            "relation": relation,
            "other": other,
            "at": event.at,
        }
        for relation, other in (*after.parents[len(before.parents) :], *((REPLACED_BY, each) for each in successors))
    ]
