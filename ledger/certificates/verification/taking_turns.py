"""Presentations take turns within a process: one thread at each, and one at a time under each request."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from weakref import WeakValueDictionary

from ledger.certificates.verification.known_presentation import under_way


class Turns:
    """Thread-safe. Another process is kept out by what it finds in the database, and by the chain's counter."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._counters: WeakValueDictionary[tuple[str, str] | None, threading.Lock] = WeakValueDictionary()
        self._at_work: set[str] = set()

    @contextmanager
    def working_on(self, presentation: str) -> Iterator[None]:
        """No other thread begins until this one is done; raises ``Conflict`` ``PRESENTATION_PENDING``."""
        with self._guard:
            if presentation in self._at_work:
                raise under_way()
            self._at_work.add(presentation)
        try:
            yield
        finally:
            with self._guard:
                self._at_work.discard(presentation)

    def of_counter(self, counter: tuple[str, str] | None) -> threading.Lock:
        """The lock of one counter of uses; it is gone when nobody holds or awaits it."""
        with self._guard:
            return self._counters.setdefault(counter, threading.Lock())
