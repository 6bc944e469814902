"""A history and the proof that the history is complete: if the events are hashed one after the other, the result is the
head on the chain.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Completeness:
    """The proof that a history is complete: if its events are hashed one after the other, beginning with ``genesis``,
    the result must be ``head``. ``events`` is the number of events.

    ``head`` is read from the contract as of ``block``; ``complete`` says whether the result is ``head``.
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
    """The events in order, each with the acting party and the reason, and the proof that no event is missing."""

    events: tuple[dict[str, Any], ...]
    completeness: Completeness

    def to_dict(self) -> dict[str, Any]:
        """Return the history as a JSON value."""
        return {"events": list(self.events), "completeness": asdict(self.completeness)}
