"""The write lock under which the gaps of pages are cleared."""

from __future__ import annotations

import json
import random
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest

from ledger.store import page_gaps, scrubbing
from ledger.store.scrubbing import scrub
from tests.store.churned import Churned, plant

WAIT_MS: Final = 5_000
# A program that runs ``page_gaps`` and, directly before it clears gaps, waits until a file exists.
WAITING: Final = """
import sys, time, pathlib
sys.path.insert(0, {folder!r})
import page_gaps
clear, begun, go = page_gaps.clear, pathlib.Path({begun!r}), pathlib.Path({go!r})
def waiting(file, numbers):
    begun.touch()
    while not go.exists():
        time.sleep(0.01)
    clear(file, numbers)
page_gaps.clear = waiting
page_gaps.main(sys.argv[1])
"""


def test_the_write_lock_stays_until_the_gaps_are_cleared_even_if_the_scrubbing_was_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the lock, a writer could write a row into a gap, and the scrubbing would then overwrite the row."""
    secret, begun, go = random.Random(12).randbytes(32), tmp_path / "begun", tmp_path / "go"
    churned = Churned(tmp_path / "text.db", 3)
    churned.churn(100)
    plant(churned, secret)
    program, ask = tmp_path / "waiting.py", scrubbing._Gaps._ask
    folder = str(Path(page_gaps.__file__).parent)
    program.write_text(WAITING.format(folder=folder, begun=str(begun), go=str(go)))
    monkeypatch.setattr(page_gaps, "__file__", str(program))

    def interrupted(gaps: scrubbing._Gaps, asked: dict[str, Any]) -> Any:
        if "clear" not in asked:
            return ask(gaps, asked)
        assert gaps._process.stdin is not None
        gaps._process.stdin.write(json.dumps(asked).encode() + b"\n")
        gaps._process.stdin.flush()
        raise KeyboardInterrupt

    monkeypatch.setattr(scrubbing._Gaps, "_ask", interrupted)
    with (
        ThreadPoolExecutor(1) as pool,
        closing(sqlite3.connect(churned.file, timeout=0, isolation_level=None)) as other,
    ):
        scrubbed = pool.submit(scrub, churned.file, [secret], WAIT_MS)
        try:
            deadline = time.monotonic() + WAIT_MS / 1000
            while not begun.exists() and time.monotonic() < deadline:
                time.sleep(0.01)
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                other.execute("BEGIN IMMEDIATE")
        finally:
            go.touch()
        # The program ends, and with it the lock, only after the gaps are cleared.
        assert isinstance(scrubbed.exception(), KeyboardInterrupt)
        other.execute("BEGIN IMMEDIATE")
    assert churned.left(secret) == []
    churned.require_sound()
    churned.connection.close()
