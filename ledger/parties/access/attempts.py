"""Wrong tokens, keys and codes, counted by where they come from: a right one passes whatever was tried before it."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import IPv6Address, ip_address
from typing import Final

from ledger.errors import TooManyAttempts, Unauthenticated

LIMIT: Final = 10
WINDOW_SECONDS: Final = 60.0
MAX_SOURCES: Final = 10_000
_OWN_NETWORK: Final = 64


class Attempts:
    """Failures of each source within the last minute, in memory; of too many sources the one that failed least
    recently is forgotten. Thread-safe. ``clock`` runs in seconds and never back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, most: int = MAX_SOURCES) -> None:
        self._clock = clock
        self._most = most
        self._lock = threading.Lock()
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()

    @contextmanager
    def counted(self, source: str) -> Iterator[None]:
        """What is done within it may fail by ``Unauthenticated``; the source's eleventh failure within a minute, and
        every later one, is ``TooManyAttempts`` ``TOO_MANY_ATTEMPTS`` with ``retry_after``."""
        try:
            yield
        except Unauthenticated as failure:
            if (wait := self._failed(source_of(source))) is not None:
                raise TooManyAttempts(
                    "TOO_MANY_ATTEMPTS",
                    f"More than {LIMIT} wrong tokens, keys or codes came from this address within a minute.",
                    hint=f"Wait {wait} seconds; what is right is taken at any time.",
                    retry_after=wait,
                ) from failure
            raise

    def _failed(self, source: str) -> int | None:
        """Count a failure; how many seconds to wait if there were too many, else None."""
        now = self._clock()
        with self._lock:
            times = self._failures.setdefault(source, deque(maxlen=LIMIT + 1))
            self._failures.move_to_end(source)
            times.append(now)
            while len(self._failures) > self._most:
                self._failures.popitem(last=False)
            oldest, failures = times[0], len(times)
        if failures <= LIMIT or now - oldest >= WINDOW_SECONDS:
            return None
        return int(oldest + WINDOW_SECONDS - now) + 1


def source_of(address: str) -> str:
    """What counts as one source: an address, and of IPv6 the network of 64 bits that one subscriber has."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return f"{IPv6Address(int(found) >> _OWN_NETWORK << _OWN_NETWORK)}/{_OWN_NETWORK}"
    return str(found)
