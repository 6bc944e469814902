# SPDX-License-Identifier: Apache-2.0
"""Defines an asset's history: events, transactions, parties, certificates, and the head of its hash chain, which proves
that no event is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ledger.proof.history import HistoryEvent


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """An event of the asset register and the transaction that made it."""

    event: HistoryEvent
    tx: str
    block: int

    @property
    def name(self) -> str:
        """The event's name without the contract's name."""
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
    """A party's id and the names of its roles."""

    id: str
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RecordedCertificate:
    """A registration certificate that was issued for the asset.

    ``leaf`` is the hash of the certificate's log entry; ``content`` is the digest of the certified description.
    """

    number: str
    leaf: str
    issuer: str
    holder: str
    content: str | None
    issued_at: int
    supersedes: str | None


@dataclass(frozen=True, slots=True)
class RecordedHistory:
    """All events of an asset in the order of the chain; ``parties`` maps a party's number to the party.

    ``head`` is the head of the asset's hash chain at ``block``, ``genesis`` the head before the first event.
    """

    asset: str
    events: tuple[RecordedEvent, ...]
    parties: Mapping[int, RecordedParty]
    certificates: tuple[RecordedCertificate, ...]
    genesis: str
    head: str
    block: int

    @property
    def facts(self) -> tuple[HistoryEvent, ...]:
        """The events, in the form that ``verify_history`` and ``view_at`` take."""
        return tuple(each.event for each in self.events)
