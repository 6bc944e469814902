"""Draw the lineage of an asset: ancestors on the left, descendants on the right."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from ledger.domain.assets.events import NAME_TITLES
from ledger.domain.assets.lineage import REPLACED_BY, LineageEdge, LineageGraph, LineageNode
from ledger.domain.assets.names import RELATIONS
from ledger.provenance.svg import ACCENT, ALARM, FAINT, INK, LINE, svg, text

_BOX: Final = (250, 76)
_GAP: Final = (90, 22)
_MARGIN: Final = 30
_HEAD: Final = 84
_MINIMUM_WIDTH: Final = 720
# The dash pattern of the line for each relation. The patterns show the relation even in a black-and-white print.
_DASHES: Final = {"derived_from": "none", "split_from": "9 4", "merged_from": "2 3", REPLACED_BY: "14 4 2 4"}
_Place = tuple[int, int]


def lineage_picture(graph: LineageGraph) -> str:
    """Return an SVG. An annulled asset is filled red; its descendants have a red frame and a note."""
    places = _places(graph)
    right = max((x for x, _ in places.values()), default=_MARGIN) + _BOX[0]
    bottom = max((y for _, y in places.values()), default=_HEAD) + _BOX[1]
    known = [edge for edge in graph.edges if edge.asset in places and edge.other in places]
    parts = [
        f'<defs><marker id="a" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" '
        f'orient="auto-start-reverse"><path d="M0 0L8 4L0 8z" fill="{FAINT}"/></marker></defs>',
        *_head(graph),
        *(_edge(edge, places) for edge in known),
        *(_node(node, places[node.asset], node.asset == graph.root) for node in graph.nodes),
    ]
    return svg(max(right + _MARGIN, _MINIMUM_WIDTH), bottom + _MARGIN, "Lineage of a data asset", parts)


def _head(graph: LineageGraph) -> list[str]:
    more = " · 未全部显示 not all shown" if graph.truncated else ""
    parts = [text(_MARGIN, 34, f"血缘 Lineage · {len(graph.nodes)} 项资产 assets{more}", 18)]
    for place, relation in enumerate((*RELATIONS, REPLACED_BY)):
        x = _MARGIN + place * 168
        parts.append(f'<line x1="{x}" y1="58" x2="{x + 34}" y2="58" {_stroke(relation)}/>')
        parts.append(text(x + 40, 62, f"{NAME_TITLES[relation]} {relation}", 11, FAINT))
    return parts


def _node(node: LineageNode, place: _Place, is_root: bool) -> str:
    (x, y), (width, height) = place, _BOX
    annulled = node.state == "annulled"
    frame = ALARM if annulled or node.flagged else ACCENT
    fill = "#fde8e6" if annulled else "#ffffff"
    note = f"祖先已撤销 annulled ancestor {node.annulled_ancestor[:6]}…" if node.annulled_ancestor else ""
    return (
        f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="6" fill="{fill}" stroke="{frame}" '
        f'stroke-width="{3 if is_root else 1}"/>'
        + text(x + 10, y + 22, node.label, 13, INK, 30)
        + text(x + 10, y + 42, f"{node.asset[:8]}… {NAME_TITLES.get(node.state, '')} {node.state}", 12, FAINT, 34)
        + (text(x + 10, y + 62, note, 11, ALARM, 40) if note else "")
    )


def _edge(edge: LineageEdge, places: Mapping[str, _Place]) -> str:
    """Draw an arrow from an ancestor to a descendant, or from a replaced asset to its successor."""
    replaced = edge.relation == REPLACED_BY
    start, end = (edge.asset, edge.other) if replaced else (edge.other, edge.asset)
    (x1, y1), (x2, y2), (width, height) = places[start], places[end], _BOX
    y1, y2 = y1 + height // 2, y2 + height // 2
    bend = _GAP[0] // 2
    if x2 > x1:
        path = f"M{x1 + width} {y1}C{x1 + width + bend} {y1} {x2 - bend} {y2} {x2} {y2}"
    elif x2 < x1:
        path = f"M{x1} {y1}C{x1 - bend} {y1} {x2 + width + bend} {y2} {x2 + width} {y2}"
    else:
        path = f"M{x1 + width} {y1}C{x1 + width + bend} {y1} {x2 + width + bend} {y2} {x2 + width} {y2}"
    return f'<path d="{path}" fill="none" marker-end="url(#a)" {_stroke(edge.relation)}/>'


def _stroke(relation: str) -> str:
    colour = LINE if relation == REPLACED_BY else FAINT
    return f'stroke="{colour}" stroke-dasharray="{_DASHES.get(relation, "none")}"'


def _places(graph: LineageGraph) -> dict[str, _Place]:
    """Place each asset one column to the right of its rightmost parent, at about the height of its parents."""
    parents: dict[str, list[str]] = defaultdict(list)
    known = {node.asset for node in graph.nodes}
    for edge in graph.edges:
        if edge.relation != REPLACED_BY and {edge.asset, edge.other} <= known:
            parents[edge.asset].append(edge.other)
    columns: dict[int, list[str]] = defaultdict(list)
    for asset, column in _columns(sorted(known), parents).items():
        columns[column].append(asset)
    places: dict[str, _Place] = {}
    for column in sorted(columns):
        heights = {
            asset: [places[parent][1] for parent in parents[asset] if parent in places] for asset in columns[column]
        }
        ordered = sorted(columns[column], key=lambda asset: (_mean(heights[asset]), asset))
        for row, asset in enumerate(ordered):
            places[asset] = (_MARGIN + column * (_BOX[0] + _GAP[0]), _HEAD + row * (_BOX[1] + _GAP[1]))
    return places


def _columns(assets: list[str], parents: Mapping[str, list[str]]) -> dict[str, int]:
    """Return each asset's column: the length of the longest path to the asset from an asset without parents.

    The number of rounds is limited, so that the function ends even if the lineage contains a cycle.
    """
    columns = dict.fromkeys(assets, 0)
    for _ in assets:
        deeper = {
            asset: max(columns[parent] for parent in parents[asset]) + 1 if parents.get(asset) else 0
            for asset in assets
        }
        if deeper == columns:
            break
        columns = deeper
    return columns


def _mean(heights: list[int]) -> int:
    return sum(heights) // len(heights) if heights else 0
