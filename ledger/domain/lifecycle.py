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


# A request is drafted outside of the ledger: its first state here is the signed one.
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
        # By the provider that corrects what it supplied: certificates that rest on it are no longer valid.
        ("supplied", "withdraw"): "withdrawn",
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

# What follows is the AssetRegistry's: tests.reference.assets.next_moves moves by these tables as contracts/assets does.
REGISTRATION: Final = StateMachine(
    "registration",
    "none",
    {
        ("none", "apply"): "applied",
        ("applied", "confirm"): "confirmed",
        ("applied", "reject"): "rejected",
        ("confirmed", "cancel"): "cancelled",
        ("confirmed", "annul"): "annulled",
    },
)

# Only an upheld objection ends an application under notice.
APPLICATION: Final = StateMachine(
    "application",
    "submitted",
    {
        ("submitted", "accept"): "accepted",
        ("submitted", "return"): "returned",
        ("returned", "file"): "submitted",
        ("accepted", "review"): "reviewed",
        ("accepted", "return"): "returned",
        ("accepted", "reject"): "rejected",
        ("reviewed", "notice"): "noticed",
        ("reviewed", "reject"): "rejected",
        ("reviewed", "confirm"): "confirmed",
        ("noticed", "confirm"): "confirmed",
        ("noticed", "uphold"): "rejected",
    },
)

# Over its deadline it can be cleared away, or another one made.
OFFER: Final = StateMachine(
    "offer",
    "offered",
    {
        ("offered", "accept"): "accepted",
        ("offered", "reject"): "rejected",
        ("offered", "withdraw"): "withdrawn",
        ("offered", "lapse"): "lapsed",
        ("lapsed", "reject"): "rejected",
        ("lapsed", "withdraw"): "withdrawn",
    },
)

OBJECTION: Final = StateMachine(
    "objection",
    "filed",
    {
        ("filed", "admit"): "admitted",
        ("filed", "refuse"): "refused",
        ("admitted", "verify"): "verified",
        ("verified", "uphold"): "upheld",
        ("verified", "dismiss"): "dismissed",
    },
)

LIEN: Final = StateMachine(
    "lien",
    "standing",
    {
        ("standing", "consent"): "standing",
        ("standing", "release"): "released",
    },
)

MACHINES: Final = (
    REQUEST,
    AUTHORIZATION,
    PROVISION,
    USAGE_CERTIFICATE,
    REGISTRATION_CERTIFICATE,
    REGISTRATION,
    APPLICATION,
    OFFER,
    OBJECTION,
    LIEN,
)
