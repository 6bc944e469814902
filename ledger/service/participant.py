"""What every installation on the chain can do, the operator's or a joined party's: verify, use, and look."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ledger.chain.client import ChainClient
from ledger.chain.reader import ChainReader
from ledger.index.follower import Follower
from ledger.service.inspection import Inspection
from ledger.service.parties import Actor
from ledger.service.pauses import Pauses
from ledger.service.presentations import Presentations
from ledger.service.proposals import Proposals
from ledger.service.provenance import Provenances
from ledger.service.settings import Settings
from ledger.service.verification import Verification
from ledger.store.database import Database


class KeyHolders(Protocol):
    """The parties that this installation lets in."""

    def new_api_key(self, identifier: str) -> str:
        """A fresh API key of the party; raises ``NotFound`` ``PARTY_UNKNOWN``."""

    def authenticate(self, key: str) -> Actor:
        """Who holds this API key, with its roles by the chain; raises ``Unauthenticated``, ``Forbidden``."""


@dataclass(frozen=True, slots=True)
class Participant:
    """An open installation. ``party`` is its own party's id; ``client`` sends from that party's account."""

    settings: Settings
    clock: Callable[[], int]
    database: Database
    client: ChainClient
    reader: ChainReader
    follower: Follower
    party: str
    parties: KeyHolders
    verification: Verification
    presentations: Presentations
    provenances: Provenances
    inspection: Inspection
    proposals: Proposals
    pauses: Pauses
