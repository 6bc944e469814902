"""Opens the pilot's ledger. A new local chain begins in the past, and what is proposed there waits for minutes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final

from ledger.service.home import holds_ledger
from ledger.service.scenarios import ScenarioBook
from ledger.service.settings import Settings
from ledger.service.wiring import Ledger, create_ledger, open_ledger

DAY: Final = 86_400
YEAR: Final = 366 * DAY
DAYS_BEFORE: Final = 75
# The clock of a local chain is moved past it: the pilot does not wait.
DELAY: Final = 600


@contextmanager
def open_pilot(settings: Settings) -> Iterator[Ledger]:
    """The ledger in ``settings.home``, or a new one with three authorities and a platform that may issue at once.

    Public notices run for days: a new local chain begins ``DAYS_BEFORE`` days ago. A ledger that exists already keeps
    its clock and its delay. Raises as ``open_ledger`` and ``create_ledger``.
    """
    with open_ledger(settings) if holds_ledger(settings.home) else _created(settings) as ledger:
        yield ledger


def _created(settings: Settings) -> AbstractContextManager[Ledger]:
    ago = 0 if settings.rpc_url is not None else DAYS_BEFORE * DAY
    chosen = settings if settings.rpc_url is not None else settings.model_copy(update={"delay": DELAY})
    codes = [scenario.code for scenario in ScenarioBook.load(settings.scenarios).all()]
    period = four_years(int(time.time()) - ago)
    return create_ledger(chosen, accreditations=dict.fromkeys(codes, period), ago=ago)


def four_years(now: int) -> tuple[int, int]:
    """The period of an accreditation: another run within a year asks for the same."""
    start = now - now % YEAR
    return start, start + 4 * YEAR
