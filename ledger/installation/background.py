"""What a server does again and again in the background, whatever fails, and how that goes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog

from ledger.errors import PingzhengError

log = structlog.get_logger()

# Among this work is the following of the chain: a reported key must not go on for long because a node did not answer.
LONGEST_REST: Final = 5.0
MAX_FAILING_SECONDS: Final = 60.0
MAX_TICK_SECONDS: Final = 300.0


@dataclass(frozen=True, slots=True)
class WorkState:
    """How a piece of work goes; ``code`` says why it does not, since so many seconds."""

    name: str
    code: str | None = None
    cause: str | None = None
    seconds: int = 0

    def to_dict(self) -> dict[str, Any]:
        """For ``/ready``."""
        if self.code is None:
            return {"ok": True}
        return {"ok": False, "code": self.code, "cause": self.cause, "seconds": self.seconds}


class TickingThread:
    """Calls ``tick`` every ``interval`` seconds, and goes on after every error, with longer and longer rests.

    An error is logged when it begins and when it is over, not each time. ``clock`` runs in seconds and never back.
    """

    def __init__(
        self,
        name: str,
        tick: Callable[[], object],
        interval: float = 0.25,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self._tick = tick
        self._interval = interval
        self._clock = clock
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._began: float | None = None
        self._cause: str | None = None
        self._failing_since = 0.0
        self._failures = 0

    def start(self) -> None:
        """Begin ticking."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the running tick and end."""
        self._stop.set()
        self._thread.join()

    def state(self) -> WorkState:
        """``WORK_STOPPED``, ``WORK_STUCK`` in one tick, ``WORK_FAILING`` for long; without a code all is well."""
        now, began = self._clock(), self._began
        if not self._thread.is_alive():
            return WorkState(self.name, "WORK_STOPPED", self._cause)
        if began is not None and now - began > MAX_TICK_SECONDS:
            return WorkState(self.name, "WORK_STUCK", None, int(now - began))
        if self._cause is not None and now - self._failing_since > MAX_FAILING_SECONDS:
            return WorkState(self.name, "WORK_FAILING", self._cause, int(now - self._failing_since))
        return WorkState(self.name)

    def _run(self) -> None:
        rest = self._interval
        while not self._stop.wait(rest):
            rest = self._rest_after(self._failure())

    def _failure(self) -> BaseException | None:
        """Tick once; what it failed by, even where that would end a thread."""
        self._began = self._clock()
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
                log.info("background work goes on", work=self.name, failed=self._failures)
            self._cause, self._failures = None, 0
            return self._interval
        cause = failure.code if isinstance(failure, PingzhengError) else type(failure).__name__
        if self._cause is None:
            self._failing_since = self._clock()
        if cause != self._cause:
            # The text of a foreign exception may hold what was worked on.
            log.warning("background work failed, it waits and goes on", work=self.name, cause=cause)
        self._cause = cause
        self._failures += 1
        return max(self._interval, min(self._interval * float(2 ** min(self._failures, 16)), LONGEST_REST))


def work_check(work: Sequence[TickingThread]) -> dict[str, Any]:
    """The part of ``/ready`` about the background: ``ok``, and each piece of work that is not in order."""
    states = {state.name: state.to_dict() for state in (each.state() for each in work)}
    failing = {name: told for name, told in states.items() if not told["ok"]}
    if not failing:
        return {"ok": True, "running": sorted(states)}
    return {"ok": False, "code": next(iter(failing.values()))["code"], "failing": failing}
