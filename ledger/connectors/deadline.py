"""Runs work with a time limit. If a call blocks in a driver or on a network drive, the caller does not wait until the
call ends.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, wait
from threading import BoundedSemaphore, Thread
from time import monotonic
from typing import Final, TypeVar

# The maximum number of simultaneous queries to one source. Few are allowed, because the provider's database also serves
# other users, and because a blocked query keeps its thread.
MAX_AT_ONCE: Final = 8

T = TypeVar("T")


class TimeIsUp(Exception):
    """The work was not done in time. This exception never leaves the package."""


class Deadline:
    """The time at which work must end; another thread can set it to an earlier time."""

    def __init__(self, seconds: float) -> None:
        self._end = monotonic() + seconds

    def left(self) -> float:
        """Return how many seconds are left, at least 0."""
        return max(0.0, self._end - monotonic())

    def passed(self) -> bool:
        """Return whether the deadline has passed."""
        return monotonic() >= self._end

    def check(self) -> None:
        """Raise ``TimeIsUp`` if the deadline has passed."""
        if self.passed():
            raise TimeIsUp

    def stop(self) -> None:
        """Set the deadline to the present time, so that the work stops."""
        self._end = 0.0


class Workers:
    """Runs the work of one source in threads, at most ``MAX_AT_ONCE`` at a time."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._free = BoundedSemaphore(MAX_AT_ONCE)

    def run(self, seconds: float, work: Callable[[Deadline], T]) -> T:
        """Call ``work`` in a thread, and return its result or raise its error.

        Raises ``TimeIsUp`` after ``seconds``, which include the wait for a free thread. After that, and after Ctrl-C,
        the deadline has passed, so work that checks the deadline stops. Work that never checks it keeps its thread, but
        delays neither the caller nor the end of the process.
        """
        deadline = Deadline(seconds)
        if not self._free.acquire(timeout=deadline.left()):
            raise TimeIsUp
        outcome: Future[T] = Future()
        thread = Thread(target=self._do, args=(work, deadline, outcome), name=f"source {self._name}", daemon=True)
        try:
            self._start(thread)
            wait([outcome], timeout=deadline.left())
        finally:
            deadline.stop()
        if not outcome.done():
            raise TimeIsUp
        return outcome.result()

    def _start(self, thread: Thread) -> None:
        try:
            thread.start()
        except RuntimeError:
            # The machine cannot start a thread. The caller gets the error that it would get if all threads of the
            # source were busy.
            self._free.release()
            raise TimeIsUp from None

    def _do(self, work: Callable[[Deadline], T], deadline: Deadline, outcome: Future[T]) -> None:
        try:
            outcome.set_result(work(deadline))
        except BaseException as error:
            outcome.set_exception(error)
        finally:
            self._free.release()
