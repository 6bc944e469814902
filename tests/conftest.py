"""The common start of all suites: settings, the fixtures of tests/support, and how tests are divided among the
workers.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import pytest
import structlog
from hypothesis import HealthCheck, settings

# These modules define fixtures. Two of these modules also print a summary at the end of the run. With several workers,
# the process that prints collects no tests, so the modules must be named here. pytest can rewrite the assertions of a
# module only if nothing has imported the module yet, so each module stands before the modules that import it.
pytest_plugins = [
    "tests.support.covered",
    "tests.support.machine.fault_counts",
    "tests.support.chain.deployed",
    "tests.support.machine.demonstration",
    "tests.support.actors.pilots",
    "tests.support.ledgers.platform",
]
# Proposals have no waiting period here, unless a test sets one.
os.environ["PINGZHENG_DELAY"] = "0"
# The terminal gets a width at which no table cell is wrapped. The variable is set here, before any console exists,
# because a console reads the width only when it is created.
os.environ["COLUMNS"] = "200"
# Slow examples are not reported as faults, because a busy machine makes every example slow. The report of durations
# shows slow tests.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Reset structlog before each test, because an earlier command may have changed the log level. A service that
    another test left running may write log lines at any time, so they go to the process's own standard error, from
    which no test reads the answer of a command.
    """
    structlog.configure(
        wrapper_class=structlog.BoundLogger, logger_factory=lambda *_: structlog.PrintLogger(sys.__stderr__)
    )


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With ``-n`` (several workers), give tests that belong together to one worker, and begin with the tests that take
    long.
    """
    from tests.support.sharing import Sharing

    config.option.loadscopereorder = False
    return Sharing(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Sort the tests of a worker in the order in which ``pytest_xdist_make_scheduler`` distributes them."""
    if hasattr(config, "workerinput"):
        from tests.support.sharing import in_order

        in_order(items)
