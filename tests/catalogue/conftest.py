"""Fixture: the department whose data list the tests of the catalogue use."""

from __future__ import annotations

import pytest

from tests.support.actors.department import Department, department
from tests.support.actors.pilots import Pilot


@pytest.fixture(scope="module")
def office(pilot: Pilot) -> Department:
    return department(pilot.ledger, pilot.cast)
