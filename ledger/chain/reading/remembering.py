"""Reads from a chain, but only if the chain still contains the blocks and logs that were seen earlier (protocol §8)."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ledger.chain.locking import one_at_a_time
from ledger.chain.reading.facts import collect_all_facts
from ledger.chain.reading.memory import Seen, load_seen, require_contained, save_seen, seen_at, seen_from
from ledger.chain.reading.reader import ChainReader
from ledger.chain.rpc.connection import Block
from ledger.proof.bundle import Bundle
from ledger.proof.facts import Facts

# After this many seconds the chain is compared with the stored data again, even if it shows no newer block or log.
COMPARE_SECONDS: Final = 10


class Remembered:
    """Stores in a file what was seen of a chain. Any number of threads and processes may share the file.

    The methods raise ``ChainUnavailable`` ``CHAIN_BEHIND_SEEN`` and ``CHAIN_DIFFERS_FROM_SEEN``, and ``Misconfigured``
    ``SEEN_FORM``. Data as of a block before the stored block are always refused; the caller can then read again.
    """

    def __init__(self, reader: ChainReader, path: Path) -> None:
        self._reader = reader
        self._path = path
        self._compared_at: float | None = None

    def facts(self, bundle: Bundle) -> Facts:
        """Return what the chain shows about a bundle (the facts), as ``all_facts`` does."""
        (found,) = self.all_facts([bundle])
        return found

    def all_facts(self, bundles: Sequence[Bundle]) -> list[Facts]:
        """Return what the chain shows about each bundle (the facts). Also raises what ``collect_all_facts`` raises."""
        before = load_seen(self._path)
        found = collect_all_facts(self._reader, bundles)
        after = before
        for facts in found:
            after = seen_from(facts, after)
        if after is not None:
            self._take(before, after)
        return found

    def newest(self) -> Block:
        """Compare the chain with what was seen, and return the newest block.

        The caller then reads as of this block.
        """
        before = load_seen(self._path)
        block = self._reader.latest()
        now = seen_at(self._reader, block)
        self._take(before, now if before is None else before.followed_by(now))
        return block

    def _take(self, before: Seen | None, after: Seen) -> None:
        """Store ``after``, but only if the chain still contains ``before``, which was seen earlier."""
        if before is not None and (after != before or self._is_due()):
            require_contained(self._reader, before, after)
        self._compared_at = time.monotonic()
        if after != before:
            self._keep(before, after)

    def _is_due(self) -> bool:
        return self._compared_at is None or time.monotonic() - self._compared_at >= COMPARE_SECONDS

    def _keep(self, before: Seen | None, after: Seen) -> None:
        """Write ``after`` if the file still contains ``before``. If another process has written to the file meanwhile,
        leave the file unchanged.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with one_at_a_time(self._path.with_suffix(".lock")):
            if load_seen(self._path) == before:
                save_seen(self._path, after)
