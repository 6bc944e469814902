"""State machines as tables (state, move) → state. What is not in a table is refused; final states have no moves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ledger.errors import Conflict


@dataclass(frozen=True, slots=True)
class StateMachine:
    """A named table of moves. Its first state is ``initial``."""

    name: str
    initial: str
    moves: Mapping[tuple[str, str], str]

    def next(self, state: str, move: str) -> str:
        """The state after ``move``; raises ``Conflict`` ``MOVE_NOT_ALLOWED``."""
        following = self.moves.get((state, move))
        if following is None:
            raise Conflict(
                "MOVE_NOT_ALLOWED",
                f"{self.name}: no {move} from {state}.",
                hint=f"From {state} it can: {', '.join(self.moves_from(state)) or 'nothing, it is final'}.",
                state=state,
                move=move,
            )
        return following

    def moves_from(self, state: str) -> list[str]:
        """The moves that a state allows."""
        return [move for (source, move) in self.moves if source == state]

    @property
    def states(self) -> frozenset[str]:
        """Every state of the table."""
        return frozenset({self.initial, *self.moves.values(), *(state for state, _ in self.moves)})

    @property
    def final(self) -> frozenset[str]:
        """States that nothing leaves."""
        return frozenset(state for state in self.states if not self.moves_from(state))


AUTHORIZATION: Final = StateMachine(
    "authorization",
    "active",
    {
        ("active", "use_up"): "used_up",
        ("active", "expire"): "expired",
        ("active", "withdraw"): "withdrawn",
        ("active", "supersede"): "superseded",
    },
)

PROVISION: Final = StateMachine(
    "provision",
    "asked",
    {
        ("asked", "supply"): "supplied",
        ("asked", "find_nothing"): "no_data",
        ("asked", "refuse"): "refused",
        ("asked", "time_out"): "timed_out",
    },
)

USAGE_CERTIFICATE: Final = StateMachine(
    "usage certificate",
    "building",
    {
        ("building", "anchor"): "issued",
        ("building", "fail"): "failed",
        ("issued", "suspend"): "suspended",
        ("suspended", "resume"): "issued",
        ("issued", "use_up"): "used_up",
        ("issued", "expire"): "expired",
        ("suspended", "expire"): "expired",
        ("issued", "revoke"): "revoked",
        ("suspended", "revoke"): "revoked",
    },
)

REGISTRATION_CERTIFICATE: Final = StateMachine(
    "registration certificate",
    "issued",
    {
        ("issued", "freeze"): "frozen",
        ("frozen", "unfreeze"): "issued",
        ("issued", "supersede"): "superseded",
        ("issued", "expire"): "expired",
        ("frozen", "expire"): "expired",
        ("issued", "cancel"): "cancelled",
        ("issued", "annul"): "annulled",
        ("frozen", "annul"): "annulled",
    },
)

ASSET: Final = StateMachine(
    "asset",
    "none",
    {
        ("none", "register"): "registered",
        ("registered", "confirm"): "confirmed",
        ("registered", "freeze"): "registered_frozen",
        ("registered_frozen", "unfreeze"): "registered",
        ("confirmed", "freeze"): "frozen",
        ("frozen", "unfreeze"): "confirmed",
        ("confirmed", "offer"): "offered",
        ("offered", "accept"): "confirmed",
        ("offered", "reject"): "confirmed",
        ("offered", "withdraw"): "confirmed",
        ("offered", "lapse"): "confirmed",
        ("offered", "freeze"): "offered_frozen",
        ("offered_frozen", "unfreeze"): "offered",
        ("offered_frozen", "reject"): "frozen",
        ("offered_frozen", "withdraw"): "frozen",
        ("offered_frozen", "lapse"): "frozen",
    },
)

MACHINES: Final = (AUTHORIZATION, PROVISION, USAGE_CERTIFICATE, REGISTRATION_CERTIFICATE, ASSET)
