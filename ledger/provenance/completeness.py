"""A history and its proof of completeness: only the complete list of events gives the head on the chain."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Completeness:
    """The proof of a history: hashing its ``events`` (a number), beginning at ``genesis``, must give ``head``.

    ``head`` is read from the contract as of ``block``; ``complete`` says whether the hashes agree.
    """

    contract: str
    scope: str | None
    genesis: str
    head: str
    block: int
    events: int
    complete: bool


@dataclass(frozen=True, slots=True)
class Provenance:
    """The events in order, each with its party and its reason, and their completeness."""

    events: tuple[dict[str, Any], ...]
    completeness: Completeness

    def to_dict(self) -> dict[str, Any]:
        """Return JSON."""
        return {"events": list(self.events), "completeness": asdict(self.completeness)}
