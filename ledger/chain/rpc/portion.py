"""How much a node takes in one question: found out by what it refuses, and tried again from time to time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Final

# So many answers of the present size, and twice as much is tried.
_TRUST: Final = 16


class Portion:
    """A number of things to ask for at once, between 1 and ``most``. Any number of threads may share one."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._size = most
        self._answered = 0
        self._lock = threading.Lock()

    @property
    def size(self) -> int:
        """How many to ask for at once."""
        return self._size

    def ranges(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """``first`` to ``last``, both included, in pieces of this size."""
        start = first
        while start <= last:
            end = min(start + self._size - 1, last)
            yield start, end
            start = end + 1

    def answered(self, size: int) -> None:
        """So many were asked for and answered: after enough of the full size, it grows."""
        with self._lock:
            if size < self._size or self._size == self._most:
                return
            self._answered += 1
            if self._answered >= _TRUST:
                self._size, self._answered = min(2 * self._size, self._most), 0

    def shrink(self, size: int) -> None:
        """So many were answered where more had been refused."""
        with self._lock:
            self._size, self._answered = max(min(size, self._size), 1), 0
