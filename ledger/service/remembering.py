"""What this installation saw of the ledger, kept in a file: a chain that was copied and continued is noticed by it."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Final

from ledger.chain.memory import load_seen, require_contained, save_seen, seen_from
from ledger.chain.reader import ChainReader
from ledger.proof.facts import Facts

# Writing waits for the disk. What the last seconds before a crash showed is of little worth; what days showed is kept.
SAVE_SECONDS: Final = 10


class Remembered:
    """The memory of one installation (protocol §8, 'Remember what you saw')."""

    def __init__(self, reader: ChainReader, path: Path) -> None:
        self._reader = reader
        self._path = path
        self._guard = threading.Lock()
        self._compared = False
        self._saved_at = 0.0

    def require_contained(self) -> None:
        """Compare the chain with the file, once in a process: from then on the blocks are followed.

        Raises ``ChainUnavailable`` ``CHAIN_DIFFERS_FROM_SEEN``, ``Misconfigured`` ``SEEN_FORM``.
        """
        with self._guard:
            if self._compared:
                return
            seen = load_seen(self._path)
            if seen is not None:
                require_contained(self._reader, seen)
            self._compared = True

    def keep(self, facts: Facts) -> None:
        """Remember what these facts show, at most every ten seconds."""
        with self._guard:
            if time.monotonic() - self._saved_at < SAVE_SECONDS and self._saved_at:
                return
            save_seen(self._path, seen_from(facts, load_seen(self._path)))
            self._saved_at = time.monotonic()
