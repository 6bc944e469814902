"""A history and its proof: events, and the head that only all of them fold to."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Completeness:
    """A history's proof: whoever folds ``events`` from ``genesis`` must reach the head that the chain shows."""

    contract: str
    scope: str | None
    genesis: str
    head: str
    block: int
    events: int
    complete: bool


@dataclass(frozen=True, slots=True)
class Provenance:
    """What happened, in order, by whom and why, with its completeness."""

    events: tuple[dict[str, Any], ...]
    completeness: Completeness

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {"events": list(self.events), "completeness": asdict(self.completeness)}
