"""The persons, providers and consumers of these tests."""

from __future__ import annotations

import pytest

from tests.support.actors.persons import PersonActors
from tests.support.actors.pilots import Pilot


@pytest.fixture(scope="module")
def persons(pilot: Pilot) -> PersonActors:
    return PersonActors(pilot)
