# SPDX-License-Identifier: Apache-2.0
"""State machines. A table maps each state and act to the next state.

An act that the table does not list for a state is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ledger.errors import Conflict


@dataclass(frozen=True, slots=True)
class StateMachine:
    """A state machine that begins in the state ``initial``. Error messages call it ``name``."""

    name: str
    initial: str
    moves: Mapping[tuple[str, str], str]

    def next(self, state: str, move: str) -> str:
        """Return the state to which the act ``move`` leads.

        Raises ``Conflict`` ``MOVE_NOT_ALLOWED`` if the present state does not allow the act.
        """
        following = self.moves.get((state, move))
        if following is None:
            raise Conflict(
                "MOVE_NOT_ALLOWED",
                f"{self.name}: the act {move} is not allowed in the state {state}.",
                hint=f"Allowed acts in this state: {', '.join(self.moves_from(state)) or 'none, it is final'}.",
                state=state,
                move=move,
            )
        return following

    def moves_from(self, state: str) -> list[str]:
        """Return the acts that a state allows."""
        return [move for (source, move) in self.moves if source == state]

    @property
    def states(self) -> frozenset[str]:
        """All states that occur in the table."""
        return frozenset({self.initial, *self.moves.values(), *(state for state, _ in self.moves)})

    @property
    def final(self) -> frozenset[str]:
        """The final states, which allow no act."""
        return frozenset(state for state in self.states if not self.moves_from(state))


# A consumer drafts a request outside the ledger. The ledger first sees a signed request, so the first state is "sent".
REQUEST: Final = StateMachine(
    "request",
    "sent",
    {
        ("sent", "see"): "seen",
        ("seen", "see"): "seen",
        ("sent", "decline"): "declined",
        ("seen", "decline"): "declined",
        ("seen", "authorise"): "authorised",
        ("sent", "expire"): "expired",
        ("seen", "expire"): "expired",
        ("sent", "cancel"): "cancelled",
        ("seen", "cancel"): "cancelled",
        ("authorised", "fulfil"): "fulfilled",
        ("authorised", "cancel"): "cancelled",
        ("authorised", "withdraw"): "cancelled",
    },
)

AUTHORIZATION: Final = StateMachine(
    "authorization",
    "active",
    {
        ("active", "use_up"): "used_up",
        ("active", "expire"): "expired",
        ("active", "withdraw"): "withdrawn",
        ("active", "supersede"): "superseded",
        ("expired", "withdraw"): "withdrawn",
    },
)
