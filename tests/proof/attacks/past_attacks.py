"""Attacks that succeeded on protocol 1, or (group H) on protocol 2 before its checks were completed.

Each attack is listed with the check and the error code that refuse it today. The letters A to H group the attacks by
method.
"""

from __future__ import annotations

from tests.proof.attacks import past_contents, past_replays
from tests.proof.attacks.tampering import Attack

ATTACKS: dict[str, tuple[int, str, Attack]] = past_replays.ATTACKS | past_contents.ATTACKS
