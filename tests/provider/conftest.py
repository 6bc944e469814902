"""One open ledger on a real chain for the tests in which providers meet a platform; each test has its own provider."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.installation.settings import Settings
from ledger.installation.wiring import Ledger, create_ledger
from tests.provider.serving import served
from tests.provider.town import SCENARIOS, Town
from tests.service.conftest import FIRMS, Pilot, assemble


@pytest.fixture(scope="session")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """A ledger set up from nothing, with its own local chain."""
    with create_ledger(Settings(home=tmp_path_factory.mktemp("platform"))) as opened:
        yield opened


@pytest.fixture(scope="session")
def pilot(ledger: Ledger) -> Pilot:
    """Institutions and firms on the chain, the platform accredited."""
    cast = assemble(ledger, FIRMS)
    now = ledger.clock()
    ledger.parties.accredit(ledger.installation.operator, SCENARIOS, now - 86_400, now + 10**9)
    return Pilot(ledger, cast)


@pytest.fixture
def town(pilot: Pilot, tmp_path: Path) -> Town:
    """A new provider, whose machine is the test's folder."""
    return Town(pilot, tmp_path)


@pytest.fixture(scope="session")
def service(ledger: Ledger) -> Iterator[str]:
    """The address of the platform's service."""
    with served(ledger) as address:
        yield address
