"""Fixtures: the persons, providers and consumers that the tests of usage share."""

from __future__ import annotations

import pytest

from tests.support.actors.persons import PersonActors
from tests.support.actors.pilots import Pilot


@pytest.fixture(scope="module")
def persons(pilot: Pilot) -> PersonActors:
    return PersonActors(pilot)
