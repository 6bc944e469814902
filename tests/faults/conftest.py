"""Fixtures of the fault tests: the prepared homes, and a count of the injected faults. A test fails at its end if the
count shows a loss.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.acknowledged import Acts
from tests.faults.prepared_homes import Prepared, copied, prepared_in
from tests.support.machine.fault_counts import TALLY, Tally


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """Return the prepared homes; with several workers, the first worker creates them for all."""
    base = tmp_path_factory.getbasetemp()
    return prepared_in((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "faults")


@pytest.fixture
def early(prepared: Prepared, tmp_path: Path) -> Path:
    """Return a copy of ``prepared.early``, the home as it was at the earlier time."""
    return copied(prepared.early, tmp_path / "home")


@pytest.fixture
def late(prepared: Prepared, tmp_path: Path) -> Path:
    """Return a copy of ``prepared.late``, the home as it was one hour after ``early``."""
    return copied(prepared.late, tmp_path / "home")


@pytest.fixture
def acts(prepared: Prepared, tally: Tally) -> Acts:
    """Return the acts that were acknowledged in the late home."""
    return Acts.of_late(prepared, tally)


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Iterator[Tally]:
    """Count the faults that this test causes. Fail if an act was lost or done twice, or if the ledger did not notice a
    fault.
    """
    counted = Tally()
    yield counted
    request.node.user_properties.append((TALLY, counted.row(Path(str(request.node.path)).stem)))
    assert counted.faults, "no fault was injected"
    assert not counted.failures(), "\n".join(counted.failures())
