"""Rights in an asset, granted just now."""

from __future__ import annotations

from typing import Any

from ledger.domain.days import DAY
from ledger.registration.rights import NewRight
from tests.support.actors.pilots import Pilot


def right(pilot: Pilot, kind: str, grantee: str, days: tuple[int, int] = (0, 100), **members: Any) -> NewRight:
    """A right for a span of days from a minute on."""
    start = pilot.ledger.clock() + 60
    told = {"scope": "信贷风控 Credit decisions"} | members
    return NewRight(kind, grantee, start + days[0] * DAY, start + days[1] * DAY, **told)


def granted(pilot: Pilot, asset: str, kind: str, grantee: str, by: str | None = None, **members: Any) -> int:
    """The number of a right that was granted just now."""
    pilot.ledger.registration.rights.grant(
        pilot.actor(by or pilot.cast.provider), asset, right(pilot, kind, grantee, **members)
    )
    return len(pilot.ledger.registration.rights.of(asset))
