"""Where assets come from and what replaces them: a graph around one of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

REPLACED_BY: Final = "replaced_by"


@dataclass(frozen=True, slots=True)
class LineageNode:
    """An asset; ``label`` is what people call it; ``annulled_ancestor`` one from which it comes, or None."""

    asset: str
    label: str
    state: str
    annulled_ancestor: str | None

    @property
    def flagged(self) -> bool:
        """Whether something it comes from was annulled."""
        return self.annulled_ancestor is not None


@dataclass(frozen=True, slots=True)
class LineageEdge:
    """``asset`` comes from ``other``; or for ``replaced_by``, ``other`` takes its place."""

    asset: str
    relation: str
    other: str
    at: int


@dataclass(frozen=True, slots=True)
class LineageGraph:
    """The ancestors and descendants of ``root``, with it; ``truncated`` if there are more than were looked at."""

    root: str
    nodes: tuple[LineageNode, ...]
    edges: tuple[LineageEdge, ...]
    truncated: bool

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self) | {"nodes": [asdict(node) | {"flagged": node.flagged} for node in self.nodes]}
