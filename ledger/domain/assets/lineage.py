# SPDX-License-Identifier: Apache-2.0
"""The lineage of an asset as a graph: its ancestors, its descendants, and assets that replaced other assets."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

REPLACED_BY: Final = "replaced_by"


@dataclass(frozen=True, slots=True)
class LineageNode:
    """An asset. ``label`` is its short name; ``annulled_ancestor`` is an ancestor that was annulled, or None."""

    asset: str
    label: str
    state: str
    annulled_ancestor: str | None

    @property
    def flagged(self) -> bool:
        """Whether an ancestor of the asset was annulled."""
        return self.annulled_ancestor is not None


@dataclass(frozen=True, slots=True)
class LineageEdge:
    """A relation between two assets. If the relation is ``replaced_by``, ``asset`` was replaced by ``other``; otherwise
    ``asset`` was made from ``other``.
    """

    asset: str
    relation: str
    other: str
    at: int


@dataclass(frozen=True, slots=True)
class LineageGraph:
    """The asset ``root`` with its ancestors and descendants. If ``truncated`` is true, some ancestors or descendants
    are left out.
    """

    root: str
    nodes: tuple[LineageNode, ...]
    edges: tuple[LineageEdge, ...]
    truncated: bool

    def to_dict(self) -> dict[str, Any]:
        """Return the graph as a JSON object."""
        return asdict(self) | {"nodes": [asdict(node) | {"flagged": node.flagged} for node in self.nodes]}
