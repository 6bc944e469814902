"""Fixture: a new firm for each test about signing in."""

from __future__ import annotations

import pytest

from ledger.domain.parties import PartyKind, Role
from tests.support.actors.pilots import Pilot


@pytest.fixture
def firm(pilot: Pilot) -> str:
    """A new firm for each test; the installation keeps the firm's key."""
    return pilot.party(PartyKind.ENTERPRISE, Role.SUBJECT)
