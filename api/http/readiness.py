"""Check whether the installation is ready. Simultaneous callers share one check, which has a time limit."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import structlog

log = structlog.get_logger()

Checks = dict[str, dict[str, Any]]

FRESH_SECONDS: Final = 1.0
TIMEOUT_SECONDS: Final = 10.0


class Readiness:
    """Runs ``check`` in a separate thread: a busy service cannot delay the check, and a hanging node delays no calls.

    Each result is used for ``fresh`` seconds. If a check takes longer than ``timeout`` seconds, its callers get no
    result, but the check continues, and later callers wait for it.
    """

    def __init__(
        self, check: Callable[[], Checks], fresh: float = FRESH_SECONDS, timeout: float = TIMEOUT_SECONDS
    ) -> None:
        self._check = check
        self._fresh = fresh
        self._timeout = timeout
        self._thread: ThreadPoolExecutor | None = None
        self._question: asyncio.Future[Checks] | None = None
        self._answered_at = 0.0

    async def checks(self) -> Checks:
        """Return the result for each part; after the time limit, ``{"readiness": …}`` with ``READINESS_SLOW``."""
        question = self._current()
        try:
            return await asyncio.wait_for(asyncio.shield(question), self._timeout)
        except TimeoutError:
            return {"readiness": {"ok": False, "code": "READINESS_SLOW", "seconds": int(self._timeout)}}
        except Exception as error:
            log.error("the readiness check failed", error=type(error).__name__)
            return {"readiness": {"ok": False, "code": "INTERNAL"}}

    def close(self) -> None:
        """End the thread; a later check starts a new thread."""
        if self._thread is not None:
            self._thread.shutdown(wait=False, cancel_futures=True)
        self._thread = self._question = None

    def _current(self) -> asyncio.Future[Checks]:
        question, loop = self._question, asyncio.get_running_loop()
        old = question is not None and question.done() and time.monotonic() - self._answered_at >= self._fresh
        if question is None or old or question.get_loop() is not loop:
            if self._thread is None:
                self._thread = ThreadPoolExecutor(1, thread_name_prefix="readiness")
            question = loop.run_in_executor(self._thread, self._check)
            question.add_done_callback(self._answered)
            self._question = question
        return question

    def _answered(self, _question: asyncio.Future[Checks]) -> None:
        self._answered_at = time.monotonic()
