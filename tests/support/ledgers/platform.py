"""Fixtures: one open ledger on a real chain, for tests of providers with a platform. Each test has its own provider."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.demo.data.cast import assemble
from ledger.installation.settings import Settings
from ledger.installation.wiring import Ledger, create_ledger
from tests.support.actors.pilots import FIRMS, Pilot
from tests.support.actors.providers import SCENARIOS, Town
from tests.support.ledgers.served import served


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """A new ledger with its own local chain."""
    with create_ledger(Settings(home=tmp_path_factory.mktemp("platform"))) as opened:
        yield opened


@pytest.fixture(scope="session")
def platform_pilot(platform: Ledger) -> Pilot:
    """A pilot with institutions and firms on the chain, and an accredited platform."""
    cast = assemble(platform, FIRMS)
    now = platform.clock()
    platform.parties.role_changes.accredit(
        platform.authority, platform.installation.operator, SCENARIOS, now - 86_400, now + 10**9
    )
    return Pilot(platform, cast)


@pytest.fixture
def town(platform_pilot: Pilot, tmp_path: Path) -> Town:
    """A new provider, whose records are in the test's folder."""
    return Town(platform_pilot, tmp_path)


@pytest.fixture(scope="session")
def service(platform: Ledger) -> Iterator[str]:
    """The address of the platform's service."""
    with served(platform) as address:
        yield address
