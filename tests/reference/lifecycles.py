"""State machines that only tests use: for provisions, for certificates, and for the decisions of AssetRegistry.

The state machines of the product are in ``ledger.domain.lifecycle``.
"""

from __future__ import annotations

from typing import Final

from ledger.domain.lifecycle import StateMachine

PROVISION: Final = StateMachine(
    "provision",
    "asked",
    {
        ("asked", "supply"): "supplied",
        ("asked", "find_nothing"): "no_data",
        ("asked", "refuse"): "refused",
        ("asked", "time_out"): "timed_out",
        # The provider withdraws a provision to correct it. The certificates that are based on the provision are then no
        # longer valid.
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

# The state machines from here on are those of AssetRegistry; the reference model in ``assets`` uses them.
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

# During the public notice an application ends in one of two ways: it is confirmed, or an objection is upheld and the
# application is rejected.
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

# When its deadline has passed, an offer can still be rejected or withdrawn, and the holder can make another offer.
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

REFERENCE_MACHINES: Final = (
    PROVISION,
    USAGE_CERTIFICATE,
    REGISTRATION_CERTIFICATE,
    REGISTRATION,
    APPLICATION,
    OFFER,
    OBJECTION,
    LIEN,
)
