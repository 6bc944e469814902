"""The lives that no code of the product steers by a table: of provisions, certificates, and all that the asset register
decides. The product's own tables are in ``ledger.domain.lifecycle``.
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

# What follows is the AssetRegistry's: assets.next_moves moves by these tables as contracts/assets does.
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
