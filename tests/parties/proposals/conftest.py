from __future__ import annotations

import pytest

from ledger.domain.powers import OPEN_FOR
from ledger.installation.wiring import Ledger
from tests.support.ledgers.waiting_ledger import DELAY, skip


@pytest.fixture(autouse=True)
def nothing_pending(waiting: Ledger) -> None:
    """Move the clock until every proposal of earlier tests has expired.

    Otherwise the next test would also carry out old proposals that are ready. And an officer that should cancel a
    proposal in the next test could not do so while a confirmed proposal about this officer waits.
    """
    skip(waiting, DELAY + OPEN_FOR + 60)
