"""Checks the ledger after a run: certificates are valid, a rebuilt index has the same rows, and erasing blocks no
writer.
"""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

from bench.own.cast import BANK
from bench.own.statements import Scene
from ledger.installation.wiring import Ledger
from ledger.proof.verifier import Expectation

_EVERY_SECONDS: Final = 0.001


def verify_some(ledger: Ledger, scene: Scene, numbers: Sequence[str], most: int) -> dict[str, Any]:
    """Let subjects present at most ``most`` certificates, chosen at random, and verify them for the bank. Return how
    many are valid, and the time to verify one.
    """
    places = {subject: place for place, subject in enumerate(scene.subjects)}
    chosen = random.Random(0).sample(list(numbers), min(most, len(numbers)))  # noqa: S311 - a sample, not a secret
    valid, seconds = 0, 0.0
    for number in chosen:
        holder = scene.holder(places[ledger.usage.holdings.get(number).subject])
        nonce, consumer = ledger.verification.new_nonce(), scene.ids[BANK]
        bundle = ledger.certificates.bundles.present(number, None, consumer, nonce, holder, ledger.clock())
        raw, expect = bundle.to_bytes(), Expectation(consumer=consumer, nonce=nonce)
        start = time.perf_counter()
        valid += ledger.verification.verify(raw, expect).report.valid
        seconds += time.perf_counter() - start
    return {"verified": len(chosen), "valid": valid, "each_us": round(seconds / len(chosen) * 1e6, 1)}


def rebuild_index(ledger: Ledger) -> dict[str, Any]:
    """Rebuild the index from the chain. Return whether the index has the same rows as before, the number of rows, and
    the time.
    """
    ledger.follower.sync()
    before = ledger.follower.snapshot_rows()
    start = time.perf_counter()
    ledger.follower.rebuild()
    seconds = time.perf_counter() - start
    rows = sum(map(len, before.values()))
    return {"equal": ledger.follower.snapshot_rows() == before, "rows": rows, "seconds": round(seconds, 2)}


def erase_one(ledger: Ledger, number: str) -> dict[str, Any]:
    """Erase the claims of one certificate from the database and its files. Return the time, and a writer's longest
    wait.
    """
    waits: list[float] = []
    with _writer(ledger.settings.home / "ledger.db", waits):
        start = time.perf_counter()
        erased = ledger.erasure.certificate(ledger.authority, number, "court")
        erasing = time.perf_counter() - start
        scrubbed = ledger.erasure.scrub(erased)
        seconds = time.perf_counter() - start
    return {
        "erase_ms": round(erasing * 1e3, 1),
        "seconds": round(seconds, 2),
        "longest_wait_ms": round(max(waits, default=0.0) * 1e3, 1),
        "scrubbed": scrubbed,
    }


@contextmanager
def _writer(file: Path, waits: list[float]) -> Iterator[None]:
    """Take and release the write lock again and again in a thread, and note how long each attempt waited."""
    ended = threading.Event()

    def write() -> None:
        with closing(sqlite3.connect(file, isolation_level=None, timeout=600)) as connection:
            while not ended.wait(_EVERY_SECONDS):
                start = time.perf_counter()
                connection.execute("BEGIN IMMEDIATE")
                waits.append(time.perf_counter() - start)
                connection.execute("ROLLBACK")

    thread = threading.Thread(target=write, name="bench writer")
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
