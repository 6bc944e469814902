"""Why a status was changed: names and their numbers on the chain (protocol §3)."""

from __future__ import annotations

from typing import Final

REASONS: Final = (
    "none",
    "consent_withdrawn",
    "data_error",
    "expired_basis",
    "court",
    "sanction",
    "key_compromise",
    "fraud",
    "superseded",
    "investigation",
    "lifted",
)

# Why a provider does not supply what was authorised.
REFUSALS: Final = (
    "out_of_scope",
    "under_correction",
    "disputed",
    "restricted",
    "basis_missing",
    "source_unavailable",
)


def reason_name(number: int) -> str:
    """The reason's name; a number of a later version is told as it is."""
    return REASONS[number] if number < len(REASONS) else f"reason_{number}"
