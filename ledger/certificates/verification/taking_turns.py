"""Locks within a process. Only one thread at a time can lock a presentation, and only one thread at a time can lock a
use counter.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from weakref import WeakValueDictionary

from ledger.certificates.verification.known_presentation import under_way


class Turns:
    """Hands out the locks; thread-safe.

    The locks have no effect on other processes. Conflicts with other processes are prevented by the presentation's
    database row and by the chain's counter.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._counters: WeakValueDictionary[tuple[str, str] | None, threading.Lock] = WeakValueDictionary()
        self._at_work: set[str] = set()

    @contextmanager
    def working_on(self, presentation: str) -> Iterator[None]:
        """Lock the presentation; raises ``Conflict`` ``PRESENTATION_PENDING`` if another thread has locked it."""
        with self._guard:
            if presentation in self._at_work:
                raise under_way()
            self._at_work.add(presentation)
        try:
            yield
        finally:
            with self._guard:
                self._at_work.discard(presentation)

    @contextmanager
    def of_counters(self, counters: Iterable[tuple[str, str] | None]) -> Iterator[None]:
        """Lock the use counters (consumer, request).

        All threads lock counters in the same order, so that no two threads wait for each other. A lock object is
        deleted when no thread refers to it.
        """
        with ExitStack() as locked:
            for counter in sorted(set(counters), key=lambda each: each or ()):
                with self._guard:
                    lock = self._counters.setdefault(counter, threading.Lock())
                locked.enter_context(lock)
            yield
