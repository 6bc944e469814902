from __future__ import annotations

import pytest

from ledger.domain.powers import OPEN_FOR
from ledger.installation.wiring import Ledger
from tests.support.ledgers.waiting_ledger import DELAY, skip


@pytest.fixture(autouse=True)
def nothing_pending(waiting: Ledger) -> None:
    """Let every proposal of earlier tests expire: a ready one would be carried out in the next test's tick, and an
    officer that another proposal is about may cancel nothing."""
    skip(waiting, DELAY + OPEN_FOR + 60)
