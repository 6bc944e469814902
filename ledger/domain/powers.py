"""Powers (protocol §3): the times and the numbers that bound what one office may do, as PartyRegistry has them."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from ledger.domain.days import DAY

THRESHOLD: Final = 2
"""How many officers a proposal for another party takes."""
DEFAULT_DELAY: Final = 3 * DAY
"""Seconds of running time that a proposal waits, unless the deployment says otherwise."""
MIN_DELAY: Final = DAY
"""Seconds: a shorter delay belongs on a local chain."""
OPEN_FOR: Final = 14 * DAY
"""Seconds of running time from which on a ready proposal can no longer be carried out."""
MAX_PAUSE: Final = 7 * DAY
"""Seconds that a pause lasts unless two officers end it sooner."""
PAUSE_REST: Final = 30 * DAY
"""Seconds from the scheduled end of a party's pause to its next one."""


class ProposalState(StrEnum):
    """What became of a proposal; the order is that of the numbers on the chain, from 1."""

    PENDING = "pending"
    CARRIED_OUT = "carried_out"
    CANCELLED = "cancelled"
    VETOED = "vetoed"

    @classmethod
    def numbered(cls, number: int) -> ProposalState:
        """The state by its number on the chain; raises ``ValueError`` for 0 (no such proposal) and unknown numbers."""
        if not 1 <= number <= len(cls):
            raise ValueError(f"no proposal is in state {number}")
        return list(cls)[number - 1]

    @property
    def number(self) -> int:
        """The number on the chain."""
        return list(type(self)).index(self) + 1
