"""The memory of one installation: facts only from a chain that contains what was seen of it before (protocol §8)."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from ledger.chain.reading.facts import collect_facts
from ledger.chain.reading.memory import Seen, load_seen, require_contained, save_seen, seen_at, seen_from
from ledger.chain.reading.reader import ChainReader
from ledger.chain.rpc.connection import Block
from ledger.proof.bundle import Bundle
from ledger.proof.facts import Facts

# Where the chain shows no newer block and no other log, it is compared again after this time.
COMPARE_SECONDS: Final = 10


class Remembered:
    """What was seen of a chain, in a file that any number of threads and processes share.

    Its methods raise ``ChainUnavailable`` ``CHAIN_BEHIND_SEEN`` and ``CHAIN_DIFFERS_FROM_SEEN``, and ``Misconfigured``
    ``SEEN_FORM``. Facts of an earlier block are refused, whatever they say: the caller asks again.
    """

    def __init__(self, reader: ChainReader, path: Path) -> None:
        self._reader = reader
        self._path = path
        self._compared_at: float | None = None

    def facts(self, bundle: Bundle) -> Facts:
        """What the chain says about a bundle; raises as ``collect_facts`` too."""
        before = load_seen(self._path)
        facts = collect_facts(self._reader, bundle)
        self._take(before, seen_from(facts, before))
        return facts

    def newest(self) -> Block:
        """The newest block, for those who then ask as of it."""
        before = load_seen(self._path)
        block = self._reader.latest()
        now = seen_at(self._reader, block)
        self._take(before, now if before is None else before.followed_by(now))
        return block

    def _take(self, before: Seen | None, after: Seen) -> None:
        """Compare, and remember only then: what does not contain ``before`` never takes its place."""
        if before is not None and (after != before or self._is_due()):
            require_contained(self._reader, before, after)
        self._compared_at = time.monotonic()
        if after != before:
            self._keep(before, after)

    def _is_due(self) -> bool:
        return self._compared_at is None or time.monotonic() - self._compared_at >= COMPARE_SECONDS

    def _keep(self, before: Seen | None, after: Seen) -> None:
        """Write, unless somebody else wrote meanwhile: nobody has compared that with ``after``."""
        with self._alone():
            if load_seen(self._path) == before:
                save_seen(self._path, after)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """No other thread or process writes: a lock on a file, which the system ends with the process."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.with_suffix(".lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
