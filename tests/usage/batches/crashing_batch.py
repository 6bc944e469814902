"""Handles batches in a process that kills itself: ``python -m tests.usage.batches.crashing_batch <home> <file>``.

The file names the point at which the process kills itself. It may also contain a batch, which the process then stores
first.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from ledger.installation.settings import Settings
from ledger.installation.wiring import open_ledger
from ledger.usage.batches import batches, runner
from ledger.usage.batches.batches import Batches
from ledger.usage.requests import Requests
from tests.support.machine.killing import arm

PART = 3
POINTS: dict[str, tuple[object, str, str]] = {
    "the batch is stored, nothing is recorded": (Requests, "submit", "before"),
    "a part is recorded, its outcomes are not stored": (Batches, "mark", "before"),
    "the outcomes of a part are stored": (Batches, "mark", "after"),
    "in the transaction that stores outcomes": (Batches, "_drop", "after"),
    "all items are handled, the batch has not ended": (Batches, "change", "before"),
}

if __name__ == "__main__":
    given = json.loads(Path(sys.argv[2]).read_text())
    setattr(batches, "PART", PART)  # noqa: B010
    setattr(runner, "PART", PART)  # noqa: B010
    with open_ledger(Settings(home=Path(sys.argv[1]))) as opened:
        arm(*POINTS[given["point"]])
        opened.usage.batch_runner.tick()
