from __future__ import annotations

import pytest

from ledger.domain.powers import OPEN_FOR
from ledger.installation.wiring import Ledger
from tests.support.ledgers.waiting_ledger import DELAY, skip


@pytest.fixture(autouse=True)
def nothing_pending(waiting: Ledger) -> None:
    """Let every proposal of earlier tests expire.

    A ready proposal would be carried out in the tick of the next test, and an officer with a confirmed proposal against
    it may cancel nothing.
    """
    skip(waiting, DELAY + OPEN_FOR + 60)
