"""The HTTP server: limits the number of connections, the time for headers and answers, and the chunks of a body.

uvicorn implements HTTP; this module adds the limits that uvicorn lacks. The route that reads a body limits the body's
size and the time for sending it (``api.http.routing``).
"""

from __future__ import annotations

import asyncio
import resource
import socket
import struct
import time
from dataclasses import dataclass
from typing import Any, Final

import h11
import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from api.http.problems import answer_to, problem
from ledger.errors import Busy

MAX_CHUNKS: Final = 4096
MAX_HEADER_BYTES: Final = 16 * 1024
READ_BYTES: Final = 32 * 1024
SEND_BYTES: Final = 128 * 1024
SWEEP_SECONDS: Final = 1.0
# The number of open files that are reserved for the database, the node and the log; connections cannot use them.
OTHER_FILES: Final = 192
HEALTH: Final = "/health"
TIMED_OUT: Final = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Connections:
    """Limits of one server's connections; times in seconds.

    At most ``most`` connections are served. Up to ``reserve`` more connections get answers from ``/health``, and 503
    from every other address. A client must send the headers of a call within ``header_seconds``. If a call is answered
    before its whole body has arrived, the client must send the rest within ``drain_seconds``. A client that does not
    read any part of its answer for ``unread_seconds`` is disconnected. ``unread_bytes`` limits the unread bytes of all
    answers together; connections with the most unread bytes are closed first.
    """

    most: int = 640
    reserve: int = 64
    header_seconds: float = 10.0
    drain_seconds: float = 10.0
    unread_seconds: float = 30.0
    unread_bytes: int = 64 * 1024 * 1024

    @classmethod
    def within_files(cls) -> Connections:
        """Return limits that fit the number of files that the process may open."""
        soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        usual = cls()
        if soft == resource.RLIM_INFINITY:
            return usual
        return cls(most=max(min(usual.most, soft - OTHER_FILES - usual.reserve), usual.reserve))


def server(app: FastAPI, bounds: Connections | None = None, **settings: Any) -> uvicorn.Server:
    """Return a server for ``app``; ``settings`` are passed to uvicorn."""
    bounds = bounds or Connections.within_files()
    watch = _Watch(bounds)

    def connection(*given: Any, **named: Any) -> _Connection:
        return _Connection(watch, *given, **named)

    config = uvicorn.Config(app, http="h11", ws="none", h11_max_incomplete_event_size=MAX_HEADER_BYTES, **settings)
    config.load()
    # uvicorn expects a class here and calls it for each connection; a function works too.
    config.http_protocol_class = connection  # type: ignore[assignment]
    return uvicorn.Server(config)


class _Watch:
    """All open connections, oldest first. Every second, the connections of which a time limit has passed are closed."""

    def __init__(self, bounds: Connections) -> None:
        self.bounds = bounds
        self._open: dict[_Connection, None] = {}
        self._sweeping = False

    def opened(self, connection: _Connection, loop: asyncio.AbstractEventLoop) -> bool:
        """Add a connection; return whether it will be served. If there are too many, close the oldest idle
        connection."""
        self._open[connection] = None
        if not self._sweeping:
            self._sweeping = True
            loop.call_later(SWEEP_SECONDS, self._sweep, loop)
        if len(self._open) <= self.bounds.most:
            return True
        if (idle := next((each for each in self._open if each.idle and each is not connection), None)) is not None:
            idle.end()
            return True
        if len(self._open) > self.bounds.most + self.bounds.reserve:
            connection.end()
        return False

    def closed(self, connection: _Connection) -> None:
        self._open.pop(connection, None)

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        now = time.monotonic()
        for connection in list(self._open):
            connection.check(now)
        unread = sum(connection.unsent for connection in self._open)
        for connection in sorted(self._open, key=lambda each: each.unsent, reverse=True):
            if unread <= self.bounds.unread_bytes:
                break
            unread -= connection.unsent
            connection.end()
        self._sweeping = bool(self._open)
        if self._sweeping:
            loop.call_later(SWEEP_SECONDS, self._sweep, loop)


class _Connection(H11Protocol):
    def __init__(self, watch: _Watch, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._watch = watch
        self.conn = _Counted(h11.SERVER, MAX_HEADER_BYTES)
        self._idle_since = time.monotonic()
        self.unsent, self._unsent_since = 0, self._idle_since
        self._begun = False

    @property
    def idle(self) -> bool:
        """Return whether no call is being processed on this connection."""
        return self.cycle is None or self.cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        # Read little at a time. Otherwise a quarter of a megabyte is read at once, even if no code needs the data yet.
        transport.max_size = READ_BYTES  # type: ignore[attr-defined]
        # Limit the system's buffer. Otherwise the system buffers megabytes of unread data, which no limit counts.
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BYTES)
        if not self._watch.opened(self, self.loop):
            self.app = _Overloaded(self.app)

    def connection_lost(self, exc: Exception | None) -> None:
        self._watch.closed(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._begun = True
        super().data_received(data)

    def on_response_complete(self) -> None:
        self._idle_since, self._begun = time.monotonic(), False
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer with a problem with status 400. If an answer has already begun, close the connection instead."""
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.end()
            return
        answer = problem(400, "HTTP", "HTTP_400", msg)
        headers = [*answer.raw_headers, (b"connection", b"close")]
        for event in (h11.Response(status_code=400, headers=headers), h11.Data(bytes(answer.body)), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def end(self) -> None:
        """Close the connection without sending the remaining data."""
        self._watch.closed(self)
        # Set the linger time to 0. Otherwise the system would keep the unsent data until the client reads it.
        at_once = struct.pack("ii", 1, 0)
        self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
        self.transport.abort()

    def check(self, now: float) -> None:
        """Close the connection if one of its time limits has passed."""
        bounds = self._watch.bounds
        unsent = self.transport.get_write_buffer_size()
        if not unsent or unsent < self.unsent:
            self._unsent_since = now
        self.unsent = unsent
        if unsent and now - self._unsent_since > bounds.unread_seconds:
            self.end()
        elif self.idle and not unsent:
            draining = self.conn.their_state is h11.SEND_BODY
            if now - self._idle_since > (bounds.drain_seconds if draining else bounds.header_seconds):
                if self._begun and not draining:
                    self.transport.write(TIMED_OUT)
                self.transport.close()


class _Counted(h11.Connection):
    """Refuses a body that has too many chunks, because the event loop needs time for every chunk, however small."""

    _chunks = 0

    def next_event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        event = super().next_event()
        if isinstance(event, h11.Request):
            self._chunks = 0
        elif isinstance(event, h11.Data) and event.chunk_start:
            self._chunks += 1
            if self._chunks > MAX_CHUNKS:
                raise h11.RemoteProtocolError("too many chunks")
        return event


class _Overloaded:
    """The application for connections beyond the limit ``most``: it answers ``/health``, and 503 to all other calls."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == HEALTH:
            await self._app(scope, receive, send)
            return
        answer = answer_to(Busy("CONNECTIONS_TOO_MANY", "Too many connections are open.", retry_after=3))
        answer.headers["Connection"] = "close"
        await answer(scope, receive, send)
