"""Finds out how many items a node accepts in one request. A refusal lowers the number, many answers raise it again."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Final

# If this many requests of the present size were answered one after the other, a request with twice as many items is
# tried.
_TRUST: Final = 16


class Portion:
    """Keeps ``size``, how many items to ask for in one request: from 1 to ``most``. Thread-safe."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.size = most
        self._answered = 0
        self._lock = threading.Lock()

    def ranges(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """Split ``first`` to ``last``, both included, into ranges of the present size."""
        start = first
        while start <= last:
            end = min(start + self.size - 1, last)
            yield start, end
            start = end + 1

    def answered(self, size: int) -> None:
        """Record that the node answered a request for ``size`` items; after enough requests of the full size, the size
        grows.
        """
        with self._lock:
            if size < self.size or self.size == self._most:
                return
            self._answered += 1
            if self._answered >= _TRUST:
                self.size, self._answered = min(2 * self.size, self._most), 0

    def shrink(self, size: int) -> None:
        """Record that the node refused a request, so that later requests have at most ``size`` items."""
        with self._lock:
            self.size, self._answered = max(min(size, self.size), 1), 0
