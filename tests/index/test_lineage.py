"""Ancestors and descendants of an asset in the index: how many are listed, and which are flagged because an ancestor
was annulled.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, String, create_engine, insert

from ledger.domain.assets.lineage import LineageGraph
from ledger.index import tables
from ledger.index.lineage import lineage_of


@pytest.fixture
def connection() -> Iterator[Connection]:
    """Yield a connection to an empty index, which each test fills with a few assets and edges."""
    engine = create_engine("sqlite://")
    tables.METADATA.create_all(engine)
    with engine.begin() as opened:
        yield opened
    engine.dispose()


def fill(connection: Connection, states: dict[str, str], *edges: tuple[str, str, str]) -> None:
    for number, (asset, state) in enumerate(states.items(), start=1):
        blank = {column.name: 0 if not isinstance(column.type, String) else "" for column in tables.ASSETS.c}
        row = blank | {"id": asset, "asset_no": number, "state": state, "cleared": False, "frozen": False}
        connection.execute(insert(tables.ASSETS).values(row))
    for place, (asset, relation, other) in enumerate(edges):
        values = {"block_number": place, "log_index": 0, "asset": asset, "relation": relation, "other": other, "at": 1}
        connection.execute(insert(tables.LINEAGE).values(values))


def found(connection: Connection, asset: str, limit: int = 100) -> LineageGraph:
    graph = lineage_of(connection, asset, limit)
    assert graph is not None
    return graph


def flags(graph: LineageGraph) -> dict[str, str | None]:
    return {node.asset: node.annulled_ancestor for node in graph.nodes}


def test_lineage_has_ancestors_and_descendants_but_no_siblings(connection: Connection) -> None:
    fill(
        connection,
        dict.fromkeys(["root", "parent", "other parent", "sibling", "child", "grandchild", "stranger"], "confirmed"),
        ("root", "derived_from", "parent"),
        ("root", "merged_from", "other parent"),
        ("sibling", "derived_from", "parent"),
        ("child", "split_from", "root"),
        ("grandchild", "derived_from", "child"),
        ("grandchild", "derived_from", "sibling"),
    )
    graph = found(connection, "root")
    assert set(flags(graph)) == {"root", "parent", "other parent", "child", "grandchild"}
    assert [(edge.asset, edge.relation, edge.other) for edge in graph.edges] == [
        ("root", "derived_from", "parent"),
        ("root", "merged_from", "other parent"),
        ("child", "split_from", "root"),
        ("grandchild", "derived_from", "child"),
    ]
    assert not graph.truncated
    assert lineage_of(connection, "nobody") is None


def test_each_descendant_of_an_annulled_asset_names_the_nearest_annulled_ancestor(connection: Connection) -> None:
    states = dict.fromkeys(["top", "middle", "root", "child", "beside"], "confirmed")
    fill(
        connection,
        states | {"top": "annulled", "middle": "annulled", "outside": "annulled"},
        ("middle", "derived_from", "top"),
        ("root", "derived_from", "middle"),
        ("child", "derived_from", "root"),
        ("beside", "derived_from", "root"),
        ("beside", "derived_from", "outside"),
    )
    graph = found(connection, "root")
    assert flags(graph) == {
        "top": None,
        "middle": "top",
        "root": "middle",
        "child": "middle",
        # "beside" derives from the root and from "outside". It is flagged because "outside" is annulled, although
        # "outside" is not part of the root's lineage.
        "beside": "outside",
    }


def test_a_replacement_is_not_marked_as_a_descendant_of_the_annulled_asset(connection: Connection) -> None:
    fill(
        connection,
        {"old": "annulled", "new": "confirmed", "of new": "confirmed"},
        ("old", "replaced_by", "new"),
        ("of new", "derived_from", "new"),
    )
    for root in ("old", "new", "of new"):
        graph = found(connection, root)
        assert flags(graph) == {"old": None, "new": None, "of new": None}


def test_a_lineage_above_the_limit_is_cut_and_marked_as_truncated(connection: Connection) -> None:
    children = [f"child {number:03}" for number in range(30)]
    edges = [(child, "derived_from", "root") for child in children]
    fill(connection, dict.fromkeys(["root", *children], "confirmed"), *edges)
    graph = found(connection, "root", limit=10)
    assert (len(graph.nodes), len(graph.edges), graph.truncated) == (11, 10, True)
    graph = found(connection, "root", limit=30)
    assert (len(graph.nodes), graph.truncated) == (31, False)


def test_reading_the_lineage_ends_even_if_replacements_form_a_circle(connection: Connection) -> None:
    fill(connection, {"a": "confirmed", "b": "confirmed"}, ("a", "replaced_by", "b"), ("b", "replaced_by", "a"))
    assert len(found(connection, "a").nodes) == 2
