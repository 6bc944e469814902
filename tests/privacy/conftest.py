"""Fixtures: actors for certificates about persons, and a database that has only sealed records."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.privacy.vault import Vault, vault_in
from tests.support.actors.persons import PersonActors
from tests.support.actors.pilots import Pilot


@pytest.fixture(scope="package")
def persons(pilot: Pilot) -> PersonActors:
    return PersonActors(pilot)


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    with vault_in(tmp_path) as opened:
        yield opened
