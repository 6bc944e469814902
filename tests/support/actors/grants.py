"""Grants rights in an asset."""

from __future__ import annotations

from typing import Any

from ledger.domain.days import DAY
from ledger.registration.rights import NewRight
from tests.support.actors.pilots import Pilot


def right(pilot: Pilot, kind: str, grantee: str, days: tuple[int, int] = (0, 100), **members: Any) -> NewRight:
    """Return the terms of a right that a test will grant. Let t be the time one minute from now. The right begins
    ``days[0]`` days after t and ends ``days[1]`` days after t.
    """
    start = pilot.ledger.clock() + 60
    others = {"scope": "信贷风控 Credit decisions"} | members
    return NewRight(kind, grantee, start + days[0] * DAY, start + days[1] * DAY, **others)


def granted(pilot: Pilot, asset: str, kind: str, grantee: str, by: str | None = None, **members: Any) -> int:
    """Grant a right, and return its number."""
    pilot.ledger.registration.rights.grant(
        pilot.actor(by or pilot.cast.provider), asset, right(pilot, kind, grantee, **members)
    )
    return len(pilot.ledger.registration.rights.of(asset))
