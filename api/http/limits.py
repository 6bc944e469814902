"""The limits of one service: bytes in memory, calls that are processed at the same time, and calls per second.

All code of this module runs on the event loop, so the code needs no locks.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from ledger.errors import Busy, TooManyAttempts

MAX_BODY_BYTES: Final = 2 * 1024 * 1024
# The maximum number of bytes in a body from an unauthenticated client. This is enough for a signed sign-in statement,
# which has up to 4,096 characters.
MAX_PUBLIC_BODY_BYTES: Final = 16 * 1024
# The maximum number of bytes in the body of a batch. Only one batch is parsed at a time.
MAX_BATCH_BYTES: Final = 24 * 1024 * 1024
MAX_BODY_DEPTH: Final = 64
MAX_SOURCES: Final = 10_000
# The number of additional worker threads. They open and close the installation, and serve the files of the docs.
SPARE_THREADS: Final = 4


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one service; sizes in bytes, times in seconds. ``public_…`` limits calls that are not authenticated."""

    body_bytes: int = MAX_BODY_BYTES
    body_values: int = 100_000
    body_depth: int = MAX_BODY_DEPTH
    batch_bytes: int = MAX_BATCH_BYTES
    batch_values: int = 1_000_000
    public_bytes: int = MAX_PUBLIC_BODY_BYTES
    public_values: int = 1_000
    # The maximum number of bytes that bodies take in memory while they are read or wait for their turn: for all sources
    # together, and for each source.
    buffered_bytes: int = 48 * 1024 * 1024
    buffered_bytes_of_source: int = 24 * 1024 * 1024
    body_seconds: float = 30.0
    # Limits for calls that have a body and are not authenticated: how many a source may make at once, and how many per
    # second.
    public_reserve: int = 300
    public_per_second: float = 5.0
    # How many calls of each lane are processed at once; then how many calls may wait, and for how many seconds.
    # ``acting`` is large because acts and uses mostly wait for a block.
    looking: int = 8
    acting: int = 16
    verifying: int = 6
    inspecting: int = 2
    importing: int = 1
    batching: int = 1
    entering: int = 4
    waiting: int = 512
    waiting_of_source: int = 384
    waiting_seconds: float = 20.0

    @property
    def threads(self) -> int:
        """Return the number of worker threads: one for each call that may be processed at once."""
        works = self.looking + self.acting + self.verifying + self.inspecting + self.importing + self.batching
        return works + self.entering + SPARE_THREADS


class Budget:
    """Counts the bytes of all request bodies in memory."""

    def __init__(self, limits: Limits) -> None:
        self._most = limits.buffered_bytes
        self._most_of_source = limits.buffered_bytes_of_source
        self._of_source: dict[str, int] = {}
        self.kept = 0
        self.most_kept = 0

    @contextmanager
    def share(self, source: str) -> Iterator[Callable[[int], None]]:
        """Yield a function ``take(count)`` that counts bytes of one call. At the end of the block these bytes are
        released.

        ``take`` raises ``Busy`` ``BODIES_TOO_MANY`` if the bytes exceed a limit.
        """
        taken = 0

        def take(count: int) -> None:
            nonlocal taken
            of_source = self._of_source.get(source, 0) + count
            if self.kept + count > self._most or of_source > self._most_of_source:
                raise Busy(
                    "BODIES_TOO_MANY", "The service is receiving too many request bodies at the moment.", retry_after=2
                )
            self._of_source[source] = of_source
            self.kept += count
            self.most_kept = max(self.most_kept, self.kept)
            taken += count

        try:
            yield take
        finally:
            self.kept -= taken
            if (left := self._of_source.get(source, 0) - taken) > 0:
                self._of_source[source] = left
            else:
                self._of_source.pop(source, None)


class Rate:
    """Limits how many calls each source makes: a reserve of calls, which grows again with time. Kept in memory only.

    If there are more than ``MAX_SOURCES`` sources, the source whose last call is oldest is forgotten. ``clock`` is
    monotonic, in seconds.
    """

    def __init__(self, reserve: int, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._reserve = reserve
        self._per_second = per_second
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def count(self, source: str) -> None:
        """Count one call. Raises ``TooManyAttempts`` ``TOO_MANY_CALLS`` if the source's reserve is empty."""
        now = self._clock()
        left, since = self._left.pop(source, (float(self._reserve), now))
        left = min(left + (now - since) * self._per_second, float(self._reserve))
        self._left[source] = (max(left - 1, 0.0) if left >= 1 else left, now)
        while len(self._left) > MAX_SOURCES:
            self._left.popitem(last=False)
        if left < 1:
            wait = int((1 - left) / self._per_second) + 1
            raise TooManyAttempts(
                "TOO_MANY_CALLS",
                "This address has made too many calls without a session.",
                hint=f"Wait {wait} seconds, or sign in: calls with a session are not limited.",
                retry_after=wait,
            )
