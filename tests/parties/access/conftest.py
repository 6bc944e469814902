"""Fixture: a new firm for each test about signing in."""

from __future__ import annotations

import pytest

from ledger.domain.parties import PartyKind, Role
from tests.support.actors.pilots import Pilot


@pytest.fixture
def firm(pilot: Pilot) -> str:
    """A new firm for each test, whose key is kept here."""
    return pilot.party(PartyKind.ENTERPRISE, Role.SUBJECT)
