"""Limits on what one office may do alone (protocol §3): the constants of the contract PartyRegistry."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from ledger.domain.days import DAY

THRESHOLD: Final = 2
"""The number of officers that a proposal for another party needs."""
DEFAULT_DELAY: Final = 3 * DAY
"""Seconds of running time that a proposal waits, unless the deployment sets another value."""
MIN_DELAY: Final = DAY
"""Seconds; a shorter delay is suitable only for a local chain."""
OPEN_FOR: Final = 14 * DAY
"""Seconds of running time in which a ready proposal can be carried out; after that it has lapsed."""
MAX_PAUSE: Final = 7 * DAY
"""Seconds that a pause lasts, unless two officers end it earlier."""
PAUSE_REST: Final = 30 * DAY
"""Seconds from the scheduled end of a party's pause until the same party may pause again."""


class ProposalState(StrEnum):
    """The state of a proposal; the order is that of the numbers on the chain, from 1."""

    PENDING = "pending"
    CARRIED_OUT = "carried_out"
    CANCELLED = "cancelled"
    VETOED = "vetoed"

    @classmethod
    def numbered(cls, number: int) -> ProposalState:
        """Return the state by its number on the chain; raise ``ValueError`` for 0 (no proposal) and unknown numbers."""
        if not 1 <= number <= len(cls):
            raise ValueError(f"unknown state of a proposal: {number}")
        return list(cls)[number - 1]

    @property
    def number(self) -> int:
        """The state's number on the chain."""
        return list(type(self)).index(self) + 1
