"""Decides how each request of the pilot ends. Most requests succeed; some fail in a way that a check must find.

Nothing is random: in every run a subject's request ends in the same way.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Fate(StrEnum):
    """The ways in which a request or its certificate can end in the pilot."""

    ORDINARY = "ordinary"
    DECLINED = "declined"
    UNANSWERED = "unanswered"
    FEWER_FIELDS = "fewer_fields"
    NO_DATA = "no_data"
    REFUSED = "refused"
    TIMED_OUT = "timed_out"
    WITHDRAWN = "withdrawn"
    WITHDRAWN_ALONE = "withdrawn_alone"
    REVOKED = "revoked"
    CORRECTED = "corrected"
    EXPIRED = "expired"
    USED_TWICE = "used_twice"
    WRONG_CONSUMER = "wrong_consumer"
    ALTERED = "altered"
    OUTSIDE = "outside"
    CROOKED = "crooked"
    ALTERED_CLAIM = "altered_claim"
    SWAPPED = "swapped"
    HELD = "held"


# A request can end in one of these ways only when some time has passed. So such requests are made in the first part of
# the pilot, while the clock of the local chain still shows a time in the past.
EARLY: Final = frozenset({Fate.UNANSWERED, Fate.EXPIRED})
# The special ways in which a request can end, in the order in which they are assigned. A small pilot uses only the
# first of them.
_TURNS: Final = tuple(fate for fate in Fate if fate is not Fate.ORDINARY)
_EVERY: Final = 40
# The ways in which a request can end if the platform lies.
_LIES: Final = (Fate.CROOKED, Fate.ALTERED_CLAIM, Fate.SWAPPED)
# Some fates occur only in certain scenarios, which this map names. All other fates occur in every scenario.
_ONLY_IN: Final = {Fate.TIMED_OUT: ("S04",), Fate.CORRECTED: ("S01", "S02")} | dict.fromkeys(
    (*_LIES, Fate.HELD), ("S01",)
)
# Each of these fates occurs only once in a scenario, because a request with such a fate needs a batch of its own or
# several transactions.
_ONCE: Final = frozenset({Fate.TIMED_OUT, Fate.CORRECTED, Fate.WITHDRAWN_ALONE, Fate.REVOKED, Fate.HELD, *_LIES})


def fate_of(scenario: str, place: int, early: bool) -> Fate:
    """Return how the request of a scenario's subject ends; ``place`` is the subject's place in the scenario, from 0.

    ``early`` is true if the pilot can begin before the present.
    """
    turn = place % _EVERY
    fate = _TURNS[turn] if turn < len(_TURNS) else Fate.ORDINARY
    once = fate in _ONCE and place >= _EVERY
    elsewhere = scenario not in _ONLY_IN.get(fate, (scenario,))
    if once or elsewhere or (fate in EARLY and not early):
        return Fate.ORDINARY
    return fate
