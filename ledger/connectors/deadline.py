"""Work that is waited for only so long: what blocks in a driver or on a network drive is left behind."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, wait
from threading import BoundedSemaphore, Thread
from time import monotonic
from typing import Final, TypeVar

# So many questions at a time per source: a provider's database serves others too, and what hangs cannot pile up.
MAX_AT_ONCE: Final = 8

T = TypeVar("T")


class TimeIsUp(Exception):
    """The work was not done in its time; never leaves this package."""


class Deadline:
    """The time by which work ends; it can be ended sooner, from another thread."""

    def __init__(self, seconds: float) -> None:
        self._end = monotonic() + seconds

    def left(self) -> float:
        """Seconds, not below 0."""
        return max(0.0, self._end - monotonic())

    def passed(self) -> bool:
        """Whether the work has to end."""
        return monotonic() >= self._end

    def check(self) -> None:
        """Raise ``TimeIsUp`` once the work has to end."""
        if self.passed():
            raise TimeIsUp

    def stop(self) -> None:
        """Let the time have passed."""
        self._end = 0.0


class Workers:
    """Does the work of one source in threads of its own, few at a time."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._free = BoundedSemaphore(MAX_AT_ONCE)

    def run(self, seconds: float, work: Callable[[Deadline], T]) -> T:
        """What ``work`` returns or raises; ``TimeIsUp`` after ``seconds``, waiting for a free thread included.

        Work whose time has passed sees it at its deadline, as after Ctrl-C. What sees nothing keeps its thread, which
        holds up neither the caller nor the end of the process.
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
            # The machine has no thread to spare: as little as if all of the source's were at work.
            self._free.release()
            raise TimeIsUp from None

    def _do(self, work: Callable[[Deadline], T], deadline: Deadline, outcome: Future[T]) -> None:
        try:
            outcome.set_result(work(deadline))
        except BaseException as error:
            outcome.set_exception(error)
        finally:
            self._free.release()
