"""Opens the pilot's ledger. A new local chain begins in the past, and its waiting period for proposals lasts only
minutes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final

from ledger.domain.days import DAY
from ledger.installation.home import holds_ledger
from ledger.installation.settings import Settings
from ledger.installation.wiring import Ledger, create_ledger, open_ledger
from ledger.rulebooks.scenarios import ScenarioBook

YEAR: Final = 366 * DAY
DAYS_BEFORE: Final = 75
# The waiting period for proposals, in seconds. The pilot does not wait for its end: it moves the clock of the local
# chain forward.
DELAY: Final = 600


@contextmanager
def open_pilot(settings: Settings, say: Callable[[str], None] = lambda _sentence: None) -> Iterator[Ledger]:
    """Open the ledger in ``settings.home``. If there is no ledger yet, create a ledger with three authorities and an
    accredited platform.

    Public notices last for days, so a new local chain begins ``DAYS_BEFORE`` days ago. An existing ledger keeps its
    clock and its waiting period. ``say`` is called with a sentence that names the ledger. Raises the errors of
    ``open_ledger`` and ``create_ledger``.
    """
    there, home = holds_ledger(settings.home), settings.home
    say(
        f"继续使用 {home} 中的账本。 Continuing with the ledger in {home}."
        if there
        else f"在 {home} 中新建账本。 Creating a ledger in {home}."
    )
    with open_ledger(settings) if there else _created(settings) as ledger:
        yield ledger


def _created(settings: Settings) -> AbstractContextManager[Ledger]:
    ago = 0 if settings.rpc_url is not None else DAYS_BEFORE * DAY
    chosen = settings if settings.rpc_url is not None else settings.model_copy(update={"delay": DELAY})
    codes = [scenario.code for scenario in ScenarioBook.load(settings.scenarios).all()]
    period = four_years(int(time.time()) - ago)
    return create_ledger(chosen, accreditations=dict.fromkeys(codes, period), ago=ago)


def four_years(now: int) -> tuple[int, int]:
    """Return the period of an accreditation: four years. Runs in the same year get the same period."""
    start = now - now % YEAR
    return start, start + 4 * YEAR
