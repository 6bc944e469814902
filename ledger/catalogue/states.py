"""The state machines of a resource and of a demand in the catalogue."""

from __future__ import annotations

from typing import Final

from ledger.domain.lifecycle import StateMachine

# After a resource has changed, its new version must be submitted and signed, so that the data list never shows an
# unsigned version.
RESOURCE: Final = StateMachine(
    "resource",
    "draft",
    {
        ("draft", "edit"): "draft",
        ("draft", "submit"): "submitted",
        ("draft", "block"): "blocked",
        ("submitted", "edit"): "draft",
        ("submitted", "sign"): "cdo_signed",
        ("submitted", "block"): "blocked",
        ("cdo_signed", "edit"): "draft",
        ("cdo_signed", "publish"): "published",
        ("cdo_signed", "block"): "blocked",
        ("published", "edit"): "changed",
        ("published", "retire"): "retired",
        ("published", "block"): "blocked",
        ("changed", "edit"): "changed",
        ("changed", "submit"): "submitted",
        ("changed", "retire"): "retired",
        ("changed", "block"): "blocked",
        ("blocked", "edit"): "draft",
        ("blocked", "lift"): "submitted",
        ("blocked", "retire"): "retired",
    },
)

# After an appeal, the authority either matches the demand again or closes it.
DEMAND: Final = StateMachine(
    "demand",
    "filed",
    {
        ("filed", "match"): "matched",
        ("filed", "refuse"): "refused",
        ("matched", "match"): "matched",
        ("matched", "accept"): "duty_accepted",
        ("matched", "refuse"): "refused",
        ("duty_accepted", "connect"): "connected",
        ("duty_accepted", "refuse"): "refused",
        ("connected", "close"): "closed",
        ("refused", "appeal"): "appealed",
        ("appealed", "match"): "matched",
        ("appealed", "close"): "closed",
    },
)
