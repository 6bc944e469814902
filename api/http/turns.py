"""Limit how many calls are processed at once and how many wait, so that all sources get their turn.

When a call ends, its place goes to a call of the next source, round robin. So a source that sends a thousand calls
delays only its own calls.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from api.http.limits import Limits
from ledger.errors import Busy

RETRY_SECONDS: Final = 3


class Turns:
    """A queue that limits how many calls wait and how many are processed; for one event loop only."""

    def __init__(self, at_once: int, limits: Limits) -> None:
        self._free = at_once
        self._most = limits.waiting
        self._most_of_source = limits.waiting_of_source
        self._seconds = limits.waiting_seconds
        self._queues: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()
        self.waiting = 0
        self.at_work = 0
        self.most_at_work = 0

    @asynccontextmanager
    async def turn(self, source: str) -> AsyncIterator[bool]:
        """Wait for a place and hold the place during the block of code. Yields whether the call had to wait.

        Raises ``Busy``: ``QUEUE_FULL`` at once if too many calls wait, ``QUEUE_SLOW`` if the call has waited too long.
        """
        waited = not (self._free and not self.waiting)
        if waited:
            await self._wait(source)
        else:
            self._free -= 1
        self.at_work += 1
        self.most_at_work = max(self.most_at_work, self.at_work)
        try:
            yield waited
        finally:
            self.at_work -= 1
            self._pass_on()

    async def _wait(self, source: str) -> None:
        queue = self._queues.setdefault(source, deque())
        if self.waiting >= self._most or len(queue) >= self._most_of_source:
            if not queue:
                del self._queues[source]
            raise Busy("QUEUE_FULL", "Too many calls are waiting.", retry_after=RETRY_SECONDS)
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue.append(place)
        self.waiting += 1
        try:
            async with asyncio.timeout(self._seconds):
                await place
        except BaseException as error:
            if place.done() and not place.cancelled():
                # This call got its place just when its waiting time ended: give the place to the next waiting call.
                self._pass_on()
            else:
                self._leave(source, place)
            if isinstance(error, TimeoutError):
                raise Busy("QUEUE_SLOW", "The call waited too long for its turn.", retry_after=RETRY_SECONDS) from error
            raise

    def _leave(self, source: str, place: asyncio.Future[None]) -> None:
        queue = self._queues.get(source)
        if queue is None or place not in queue:
            return
        queue.remove(place)
        self.waiting -= 1
        if not queue:
            del self._queues[source]

    def _pass_on(self) -> None:
        """Give a free place to a call of the next source, round robin."""
        while self._queues:
            source, queue = self._queues.popitem(last=False)
            place = queue.popleft()
            self.waiting -= 1
            if queue:
                self._queues[source] = queue
            # Skip calls that no longer wait: they are still in the queue, but their futures are done.
            if not place.done():
                place.set_result(None)
                return
        self._free += 1
