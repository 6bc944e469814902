"""Repeat work in the background of a server, continue after every error, and report the state of the work."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from ledger.errors import PingzhengError

log = structlog.get_logger()

# The maximum time between two attempts, in seconds. It is short, because the work also learns from the chain which keys
# were reported lost, and the ledger must refuse these keys as soon as a node answers again.
LONGEST_REST: Final = 5.0
MAX_FAILING_SECONDS: Final = 60.0
MAX_TICK_SECONDS: Final = 300.0


@dataclass(frozen=True, slots=True)
class WorkState:
    """The state of a background task. ``code`` names the problem (None: no problem), ``seconds`` says how long the
    problem has lasted.
    """

    name: str
    code: str | None = None
    cause: str | None = None
    seconds: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return the state as JSON for ``/ready``."""
        if self.code is None:
            return {"ok": True}
        return {"ok": False, "code": self.code, "cause": self.cause, "seconds": self.seconds}


@dataclass(eq=False, repr=False)
class TickingThread:
    """A thread that calls ``tick`` every ``interval`` seconds. After an error the thread waits longer before it calls
    ``tick`` again.

    If the same error is repeated, only its first occurrence and the recovery are logged. ``clock`` is monotonic, in
    seconds.
    """

    name: str
    _tick: Callable[[], object]
    interval: float = 0.25
    clock: Callable[[], float] = field(default=time.monotonic, kw_only=True)
    _stop: threading.Event = field(default_factory=threading.Event, init=False)
    _began: float | None = field(default=None, init=False)
    _cause: str | None = field(default=None, init=False)
    _failing_since: float = field(default=0.0, init=False)
    _failures: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Wait until the running call of ``tick`` returns, then end the thread."""
        self._stop.set()
        self._thread.join()

    def state(self) -> WorkState:
        """Return the state of the background task.

        The code is ``WORK_STOPPED`` if the thread has ended, ``WORK_STUCK`` if one tick lasts more than
        ``MAX_TICK_SECONDS``, ``WORK_FAILING`` if ticks have failed for more than ``MAX_FAILING_SECONDS``.
        """
        now, began = self.clock(), self._began
        if not self._thread.is_alive():
            return WorkState(self.name, "WORK_STOPPED", self._cause)
        if began is not None and now - began > MAX_TICK_SECONDS:
            return WorkState(self.name, "WORK_STUCK", None, int(now - began))
        if self._cause is not None and now - self._failing_since > MAX_FAILING_SECONDS:
            return WorkState(self.name, "WORK_FAILING", self._cause, int(now - self._failing_since))
        return WorkState(self.name)

    def _run(self) -> None:
        rest = self.interval
        while not self._stop.wait(rest):
            rest = self._rest_after(self._failure())

    def _failure(self) -> BaseException | None:
        """Call ``tick`` once, and return the exception that it raised, or None.

        Even exceptions such as ``SystemExit`` are returned, because otherwise they would end the thread.
        """
        self._began = self.clock()
        try:
            self._tick()
        except BaseException as failure:
            return failure
        finally:
            self._began = None
        return None

    def _rest_after(self, failure: BaseException | None) -> float:
        if failure is None:
            if self._cause is not None:
                log.info("background work has recovered", work=self.name, failed=self._failures)
            self._cause, self._failures = None, 0
            return self.interval
        cause = failure.code if isinstance(failure, PingzhengError) else type(failure).__name__
        if self._cause is None:
            self._failing_since = self.clock()
        if cause != self._cause:
            # Only the class of the exception is logged: its text may contain personal data.
            log.warning("background work failed and will be repeated", work=self.name, cause=cause)
        self._cause = cause
        self._failures += 1
        return max(self.interval, min(self.interval * float(2 ** min(self._failures, 16)), LONGEST_REST))


def work_check(work: Sequence[TickingThread]) -> dict[str, Any]:
    """Return the part of ``/ready`` about background tasks: ``ok``, and each task that has a problem."""
    states = {state.name: state.to_dict() for state in (each.state() for each in work)}
    failing = {name: state for name, state in states.items() if not state["ok"]}
    if not failing:
        return {"ok": True, "running": sorted(states)}
    return {"ok": False, "code": next(iter(failing.values()))["code"], "failing": failing}
