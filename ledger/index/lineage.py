"""Find the ancestors and descendants of an asset in the index."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from typing import Final

from sqlalchemy import ColumnElement, Connection, select

from ledger.domain.assets.lineage import REPLACED_BY, LineageEdge, LineageGraph, LineageNode
from ledger.index.tables import ASSETS, LINEAGE

MAX_RELATIVES: Final = 100
_PER_QUERY: Final = 500


def lineage_of(connection: Connection, asset: str, limit: int = MAX_RELATIVES) -> LineageGraph | None:
    """Return the graph of an asset with at most ``limit`` ancestors and ``limit`` descendants, or None if the asset is
    unknown.

    The nearest relatives are chosen first. For an asset with annulled ancestors, the nearest annulled ancestor is
    named, even if it is beyond the limit. A replaced asset counts as a parent of its successor. But a replaced asset
    that was annulled is not named as the successor's annulled ancestor, because the successor is not derived from the
    replaced asset.
    """
    if not _states(connection, [asset]):
        return None
    ancestors = _walk(connection, asset, limit, upwards=True)
    descendants = _walk(connection, asset, limit, upwards=False)
    shown = {asset, *ancestors[:limit], *descendants[:limit]}
    states, annulled = _states(connection, shown), _annulled_above(connection, shown)
    return LineageGraph(
        root=asset,
        nodes=tuple(LineageNode(each, each[:12], states[each], annulled.get(each)) for each in sorted(shown)),
        edges=tuple(edge for edge in _edges(connection, LINEAGE.c.asset, shown) if edge.other in shown),
        truncated=max(len(ancestors), len(descendants)) > limit,
    )


def _walk(connection: Connection, asset: str, limit: int, *, upwards: bool) -> list[str]:
    """Return the ancestors (if ``upwards``) or the descendants of an asset, one generation after another, until more
    than ``limit`` are found.
    """
    found: dict[str, None] = {}
    generation = {asset}
    while generation and len(found) <= limit:
        generation = _next(connection, generation, upwards) - {asset, *found}
        found |= dict.fromkeys(sorted(generation))
    return list(found)


def _next(connection: Connection, assets: set[str], upwards: bool) -> set[str]:
    """Return the parents (``upwards``) or the children of the assets. A replaced asset counts as a parent of its
    successor.
    """
    as_asset = _edges(connection, LINEAGE.c.asset, assets)
    as_other = _edges(connection, LINEAGE.c.other, assets)
    if upwards:
        return {edge.other for edge in as_asset if edge.relation != REPLACED_BY} | {
            edge.asset for edge in as_other if edge.relation == REPLACED_BY
        }
    return {edge.other for edge in as_asset if edge.relation == REPLACED_BY} | {
        edge.asset for edge in as_other if edge.relation != REPLACED_BY
    }


def _annulled_above(connection: Connection, assets: Collection[str]) -> dict[str, str]:
    """Return, for each asset that has annulled ancestors, the nearest annulled ancestor. The search ends, because the
    contract limits the number of ancestors.
    """
    parents: dict[str, set[str]] = defaultdict(set)
    frontier = set(assets)
    while frontier:
        for edge in _edges(connection, LINEAGE.c.asset, frontier):
            if edge.relation != REPLACED_BY:
                parents[edge.asset].add(edge.other)
        frontier = {parent for each in frontier for parent in parents[each]} - set(parents)
    states = _states(connection, {parent for found in parents.values() for parent in found})
    annulled = {each for each, state in states.items() if state == "annulled"}
    nearest = {}
    for each in assets:
        seen, generation = set[str](), parents[each]
        while generation and not generation & annulled:
            seen |= generation
            generation = {parent for ancestor in generation for parent in parents.get(ancestor, ())} - seen
        if generation:
            nearest[each] = min(generation & annulled)
    return nearest


def _edges(connection: Connection, column: ColumnElement[str], assets: Collection[str]) -> list[LineageEdge]:
    """Return the relations that have one of the assets in ``column``. Each query returns the relations in the order of
    the chain.
    """
    ordered = sorted(assets)
    found = []
    for start in range(0, len(ordered), _PER_QUERY):
        query = (
            select(LINEAGE.c.asset, LINEAGE.c.relation, LINEAGE.c.other, LINEAGE.c.at)
            .where(column.in_(ordered[start : start + _PER_QUERY]))
            .order_by(LINEAGE.c.block_number, LINEAGE.c.log_index)
        )
        found += [LineageEdge(*row) for row in connection.execute(query)]
    return found


def _states(connection: Connection, assets: Collection[str]) -> dict[str, str]:
    ordered = sorted(assets)
    states: dict[str, str] = {}
    for start in range(0, len(ordered), _PER_QUERY):
        query = select(ASSETS.c.id, ASSETS.c.state).where(ASSETS.c.id.in_(ordered[start : start + _PER_QUERY]))
        states |= {row.id: row.state for row in connection.execute(query)}
    return states
