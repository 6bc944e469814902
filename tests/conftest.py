"""What every suite starts from: settings, the fixtures of tests/support, and how the workers share the tests."""

from __future__ import annotations

import os
import sys
from typing import Any

import pytest
import structlog
from hypothesis import HealthCheck, settings

# Named here for their fixtures, and for what two of them print at the end: the process that prints collects no tests
# when there are workers. A module stands before those that import it, else pytest cannot rewrite its assertions.
pytest_plugins = [
    "tests.support.covered",
    "tests.support.machine.fault_counts",
    "tests.support.chain.deployed",
    "tests.support.machine.demonstration",
    "tests.support.actors.pilots",
    "tests.support.ledgers.platform",
]
# A proposal takes effect at once, unless a test says otherwise.
os.environ["PINGZHENG_DELAY"] = "0"
# Wide enough that no table is folded; read once, when a console is made.
os.environ["COLUMNS"] = "200"
# On a busy machine slow examples are no finding; what takes long is seen in the durations.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Log lines as the library writes them: a command before may have set their level, and a service that another test
    left open in the background may write some. They go to where no test reads an answer from."""
    structlog.configure(
        wrapper_class=structlog.BoundLogger, logger_factory=lambda *_: structlog.PrintLogger(sys.__stderr__)
    )


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Under ``-n``: one worker takes what stands together, and what takes long begins first."""
    from tests.support.sharing import Sharing

    config.option.loadscopereorder = False
    return Sharing(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The order in which ``pytest_xdist_make_scheduler`` hands them out."""
    if hasattr(config, "workerinput"):
        from tests.support.sharing import in_order

        in_order(items)
