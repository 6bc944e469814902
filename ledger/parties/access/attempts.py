"""Counts wrong tokens, keys and codes for each address that sends them.

A correct token, key or code is accepted even from an address that has sent too many wrong tokens, keys or codes.
"""

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
    """The failures of each source (address) within the last minute, kept in memory; thread-safe.

    At most ``most`` sources are kept: after that, the source whose last failure is oldest is removed. ``clock`` returns
    seconds and never goes back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, most: int = MAX_SOURCES) -> None:
        self._clock = clock
        self._most = most
        self._lock = threading.Lock()
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()

    @contextmanager
    def counted(self, source: str) -> Iterator[None]:
        """Count each ``Unauthenticated`` raised inside the block as a failure of ``source``.

        If the source has had ten failures within the last minute, replace each further failure by ``TooManyAttempts``
        ``TOO_MANY_ATTEMPTS``, with ``retry_after`` in seconds.
        """
        try:
            yield
        except Unauthenticated as failure:
            if (wait := self._failed(source_of(source))) is not None:
                raise TooManyAttempts(
                    "TOO_MANY_ATTEMPTS",
                    f"More than {LIMIT} wrong tokens, keys or codes came from this address within a minute.",
                    hint=f"Wait {wait} seconds. A correct token, key or code is accepted at any time.",
                    retry_after=wait,
                ) from failure
            raise

    def _failed(self, source: str) -> int | None:
        """Count a failure, and return the seconds to wait if there were too many, else None."""
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
    """Return the address itself, or the /64 network of an IPv6 address, because one subscriber has a whole /64."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return f"{IPv6Address(int(found) >> _OWN_NETWORK << _OWN_NETWORK)}/{_OWN_NETWORK}"
    return str(found)
