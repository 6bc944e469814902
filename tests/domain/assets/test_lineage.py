"""The lineage graph as JSON: each node says whether one of its ancestors was annulled."""

from __future__ import annotations

from ledger.domain.assets.lineage import REPLACED_BY, LineageEdge, LineageGraph, LineageNode


def test_lineage_graph_is_written_as_the_expected_json() -> None:
    clean = LineageNode("a1", "air quality", "confirmed", None)
    flagged = LineageNode("b2", "forecast", "confirmed", "c3")
    edge = LineageEdge("a1", REPLACED_BY, "b2", 900)
    assert (clean.flagged, flagged.flagged) == (False, True)
    assert LineageGraph("a1", (clean, flagged), (edge,), truncated=True).to_dict() == {
        "root": "a1",
        "nodes": [
            {"asset": "a1", "label": "air quality", "state": "confirmed", "annulled_ancestor": None, "flagged": False},
            {"asset": "b2", "label": "forecast", "state": "confirmed", "annulled_ancestor": "c3", "flagged": True},
        ],
        "edges": ({"asset": "a1", "relation": "replaced_by", "other": "b2", "at": 900},),
        "truncated": True,
    }
