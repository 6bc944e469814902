"""What a server does again and again in the background."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

import structlog

from ledger.errors import ChainUnavailable

log = structlog.get_logger()

# Among this work is the following of the chain: a reported key must not go on for long because a node did not answer.
LONGEST_REST: Final = 5.0


class TickingThread:
    """Calls ``tick`` every ``interval`` seconds. A chain that is down delays what it does and loses nothing."""

    def __init__(self, name: str, tick: Callable[[], object], interval: float = 0.25) -> None:
        self._name = name
        self._tick = tick
        self._interval = interval
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin ticking."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the running tick and end."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(self._interval):
            try:
                self._tick()
            except ChainUnavailable as failure:
                log.warning("chain unavailable, work waits", work=self._name, code=failure.code)
                self._stop.wait(min(5 * self._interval, LONGEST_REST))
            except Exception as failure:
                log.error("background work failed, it waits", work=self._name, error=type(failure).__name__)
                self._stop.wait(min(20 * self._interval, LONGEST_REST))
