# SPDX-License-Identifier: Apache-2.0
"""Limits on what one authority or supervisor may do alone (protocol §3). The contract PartyRegistry has the same
limits.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from ledger.domain.days import DAY

THRESHOLD: Final = 2
"""How many officers must decide a proposal about another party."""
DEFAULT_DELAY: Final = 3 * DAY
"""How many seconds a proposal waits (paused seconds are not counted), unless the deployment sets another number."""
MIN_DELAY: Final = DAY
"""The shortest waiting period of proposals, in seconds, that is safe on a chain that is not local."""
OPEN_FOR: Final = 14 * DAY
"""For how many seconds a ready proposal can be carried out before it expires; paused seconds are not counted."""
MAX_PAUSE: Final = 7 * DAY
"""How many seconds a pause lasts, unless two officers end it earlier."""
PAUSE_REST: Final = 30 * DAY
"""How many seconds after the scheduled end of its pause a party must wait before it may pause again."""


class ProposalState(StrEnum):
    """The state of a proposal. The states have the order of their numbers on the chain, from 1."""

    PENDING = "pending"
    CARRIED_OUT = "carried_out"
    CANCELLED = "cancelled"
    VETOED = "vetoed"

    @classmethod
    def numbered(cls, number: int) -> ProposalState:
        """Return the state that has this number on the chain.

        Raises ``ValueError`` for 0 (no proposal) and unknown numbers.
        """
        if not 1 <= number <= len(cls):
            raise ValueError(f"unknown state of a proposal: {number}")
        return list(cls)[number - 1]

    @property
    def number(self) -> int:
        """The state's number on the chain."""
        return list(type(self)).index(self) + 1
