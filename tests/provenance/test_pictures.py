"""The SVG pictures of timeline and lineage are well-formed, reproducible, limited in size, and escape all text."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import pytest

from ledger.domain.assets.events import EVENT_TITLES, NAME_TITLES, names_in
from ledger.domain.assets.lineage import LineageEdge, LineageGraph, LineageNode
from ledger.proof.head import EVENTS
from ledger.provenance.lineage_picture import lineage_picture
from ledger.provenance.svg import ALARM, fit
from ledger.provenance.timeline import MAX_CARDS, timeline_picture
from tests.support.bundles.asset_histories import (
    ASSET,
    PARENT,
    SUCCESSOR,
    confirmed_asset,
    digest,
    event,
    recorded,
    recorded_life,
)

SVG = "{http://www.w3.org/2000/svg}"


def texts(picture: str) -> list[str]:
    return [each.text or "" for each in ElementTree.fromstring(picture).iter(f"{SVG}text")]


def boxes(picture: str) -> list[dict[str, str]]:
    return [each.attrib for each in ElementTree.fromstring(picture).iter(f"{SVG}rect") if "rx" in each.attrib]


def node(asset: str, state: str = "confirmed", ancestor: str | None = None, label: str = "label") -> LineageNode:
    return LineageNode(asset, label, state, ancestor)


def graph(*nodes: LineageNode, edges: tuple[tuple[str, str, str], ...] = ()) -> LineageGraph:
    return LineageGraph(ASSET, nodes, tuple(LineageEdge(*edge, 1) for edge in edges), truncated=False)


def test_every_event_and_name_has_a_title() -> None:
    assert {f"AssetRegistry.{name}" for name in EVENT_TITLES} == {
        name for name in EVENTS if name.startswith("AssetRegistry.")
    }
    for each in recorded_life().events:
        assert set(names_in(each.name, each.args).values()) <= set(NAME_TITLES)


def test_a_timeline_shows_every_event_in_order() -> None:
    life = recorded_life()
    shown = texts(timeline_picture(life))
    titles = [" ".join(EVENT_TITLES[each.name]) for each in life.events]
    assert [each for each in shown if each in set(titles)] == titles
    assert any(life.head in each for each in shown)
    assert len(boxes(timeline_picture(life))) == len(life.events)
    assert timeline_picture(life) == timeline_picture(recorded_life())


def test_a_long_timeline_is_shortened_and_says_how_many_events_it_leaves_out() -> None:
    frozen = [event("Frozen" if place % 2 else "Unfrozen", 50 + place, 5, reason=4) for place in range(1, 401)]
    history = recorded([*confirmed_asset(), *frozen])
    picture = timeline_picture(history)
    assert len(boxes(picture)) == MAX_CARDS
    assert "略去 205 项 205 events left out" in texts(picture)
    ordinals = [int(each.split(" · ")[0]) for each in texts(picture) if each[:1].isdigit() and " · " in each]
    assert (ordinals[0], ordinals[99], ordinals[100], ordinals[-1]) == (1, 100, 306, 405)


def test_boxes_do_not_overlap() -> None:
    family = [node(digest(f"asset {place}"), label=f"asset {place}") for place in range(30)]
    edges = tuple((family[place].asset, "derived_from", family[place // 3].asset) for place in range(1, 30))
    for picture in (timeline_picture(recorded_life()), lineage_picture(graph(*family, edges=edges))):
        whole = ElementTree.fromstring(picture).attrib
        corners = [(int(box["x"]), int(box["y"]), int(box["width"]), int(box["height"])) for box in boxes(picture)]
        for place, (x, y, width, height) in enumerate(corners):
            assert x + width <= int(whole["width"])
            assert y + height <= int(whole["height"])
            for other_x, other_y, *_ in corners[:place]:
                assert abs(x - other_x) >= width or abs(y - other_y) >= height


def test_lineage_is_drawn_from_left_to_right_whatever_the_order_of_the_edges() -> None:
    nodes = (node(ASSET), node(PARENT, label="parent"), node(SUCCESSOR, label="child"))
    edges = ((ASSET, "derived_from", PARENT), (SUCCESSOR, "split_from", ASSET), (SUCCESSOR, "merged_from", PARENT))
    for order in (nodes, nodes[::-1]):
        picture = lineage_picture(graph(*order, edges=edges))
        columns = {each.asset: int(box["x"]) for each, box in zip(order, boxes(picture), strict=True)}
        assert columns[PARENT] < columns[ASSET] < columns[SUCCESSOR]
        assert len(list(ElementTree.fromstring(picture).iter(f"{SVG}path"))) == 1 + len(edges)


def test_descendants_of_an_annulled_asset_are_drawn_red_with_a_note() -> None:
    picture = lineage_picture(graph(node(PARENT, "annulled"), node(ASSET, ancestor=PARENT), node(SUCCESSOR)))
    assert [box["stroke"] == ALARM for box in boxes(picture)] == [True, True, False]
    assert sum("annulled ancestor" in each for each in texts(picture)) == 1


def test_a_circle_in_the_lineage_is_drawn() -> None:
    """The contract allows no circle, but an untrusted index may contain one; drawing must still end."""
    edges = ((ASSET, "derived_from", PARENT), (PARENT, "derived_from", ASSET), (ASSET, "replaced_by", PARENT))
    assert len(boxes(lineage_picture(graph(node(ASSET), node(PARENT), edges=edges)))) == 2


def test_an_edge_to_a_missing_asset_is_left_out() -> None:
    picture = lineage_picture(graph(node(ASSET), edges=((ASSET, "derived_from", PARENT),)))
    assert len(boxes(picture)) == 1


@pytest.mark.parametrize("hostile", ["</text><script>alert(1)</script>", '"><image href="x"/>', "&lt;&amp;", "'\"<>&"])
def test_text_in_pictures_is_escaped(hostile: str) -> None:
    picture = lineage_picture(graph(node(ASSET, label=hostile)))
    tags = {each.tag.removeprefix(SVG) for each in ElementTree.fromstring(picture).iter()}
    assert tags == {"svg", "rect", "defs", "marker", "path", "text", "line"}
    assert any(each.startswith(hostile[:20]) for each in texts(picture))
    life = recorded_life()
    parties = {number: replace(party, id=hostile, roles=(hostile,)) for number, party in life.parties.items()}
    ElementTree.fromstring(timeline_picture(replace(life, parties=parties)))


@pytest.mark.parametrize(
    ("content", "columns", "shown"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "ab…"),
        ("数据资产", 8, "数据资产"),
        ("数据资产", 7, "数据资…"),
        ("a数据", 4, "a数…"),
    ],
)
def test_text_is_shortened_to_the_width_of_its_box(content: str, columns: int, shown: str) -> None:
    assert fit(content, columns) == shown
