"""A second supervisor. It is needed because two supervisors decide whether a supervisor's hold is lifted."""

from __future__ import annotations

from ledger.domain.codes import synthetic_uscc
from ledger.domain.parties import PartyKind, Role
from ledger.parties.newcomers import NewParty
from tests.support.actors.pilots import Pilot

USCC = synthetic_uscc("440800", 9_400)


def other_supervisor(pilot: Pilot) -> str:
    """Return the party id of a second supervisor. The installation keeps its key, so it can confirm the first
    supervisor's proposals.
    """
    ledger = pilot.ledger
    key = ledger.custody.public_key(*ledger.custody.create())
    newcomer = NewParty(PartyKind.SUPERVISOR, "Other supervisor", USCC, "440800", key, frozenset({Role.SUPERVISOR}))
    (row,) = ledger.parties.onboarding.onboard(ledger.authority, [newcomer])
    return row.id
