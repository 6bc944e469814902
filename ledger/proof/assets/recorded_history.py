"""An asset's history with all that goes with it: transactions, parties, certificates, and the head that proves it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ledger.errors import InvalidInput
from ledger.proof.history import HistoryEvent


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """An event of the asset register and the transaction that made it."""

    event: HistoryEvent
    tx: str
    block: int

    @property
    def name(self) -> str:
        """The event without its contract."""
        return self.event.event.partition(".")[2]

    @property
    def args(self) -> Mapping[str, Any]:
        return self.event.args

    @property
    def at(self) -> int:
        return int(self.event.args["at"])

    @property
    def by(self) -> int:
        return int(self.event.args["by"])


@dataclass(frozen=True, slots=True)
class RecordedParty:
    """A party by its opaque id, with the names of its roles."""

    id: str
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RecordedCertificate:
    """A registration certificate of the asset; ``leaf`` is the hash of its log entry, ``content`` what it certifies."""

    number: str
    leaf: str
    issuer: str
    holder: str
    content: str | None
    issued_at: int
    supersedes: str | None


@dataclass(frozen=True, slots=True)
class RecordedHistory:
    """Every event in the order of the chain; ``parties`` by number; ``genesis`` and ``head`` as of ``block``."""

    asset: str
    events: tuple[RecordedEvent, ...]
    parties: Mapping[int, RecordedParty]
    certificates: tuple[RecordedCertificate, ...]
    genesis: str
    head: str
    block: int

    @property
    def facts(self) -> tuple[HistoryEvent, ...]:
        """What ``verify_history`` and ``view_at`` take."""
        return tuple(each.event for each in self.events)


def exported_events(provenance: Mapping[str, Any]) -> tuple[HistoryEvent, ...]:
    """The events in what ``GET /v1/assets/{id}/provenance`` gave; raises InvalidInput PROVENANCE_FORM."""
    try:
        contract = provenance["completeness"]["contract"]
        return tuple(HistoryEvent(f"{contract}.{each['name']}", each["args"]) for each in provenance["events"])
    except (KeyError, TypeError) as error:
        raise InvalidInput(
            "PROVENANCE_FORM",
            "This is no exported provenance.",
            hint="Take it from GET /v1/assets/{id}/provenance or `pingzheng asset provenance ID --json`.",
        ) from error
