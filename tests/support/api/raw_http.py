"""Sends HTTP over a plain socket to the real server, for requests that a correct client cannot send."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI

from api.app import create_app
from api.http.limits import Limits
from api.http.routing import Gate
from api.http.server import Connections, server
from ledger.installation.participant import Participant

CLOSED_SECONDS = 60
JSON = {"content_type": "application/json"}  # Headers for ``Wire.head``: the body is JSON.
DENSE = b"[" + b"[]," * 699_000 + b"[]]"  # Two megabytes of JSON that need much more memory when they are parsed.
ESTABLISHED = 1


@dataclass(frozen=True)
class Answer:
    """A response of the server."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str:
        """The code of the problem document."""
        return str(json.loads(self.body)["code"])


class Wire:
    """A connection that sends given bytes and reads answers. ``receive`` is the size of its receive buffer in bytes."""

    def __init__(self, port: int, receive: int | None = None) -> None:
        self._socket = socket.socket()
        if receive is not None:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
        self._socket.settimeout(CLOSED_SECONDS)
        self._socket.connect(("127.0.0.1", port))
        self._read = self._socket.makefile("rb")

    def send(self, data: bytes) -> Wire:
        """Send bytes. If the server has already closed the connection, this is no error, because the server's answer
        can still be read.
        """
        with suppress(BrokenPipeError, ConnectionResetError):
            self._socket.sendall(data)
        return self

    def head(self, method: str, path: str, **headers: object) -> Wire:
        """Send the request line and the headers of a call. Keyword arguments are headers: ``content_length=3`` sends
        ``content-length: 3``.
        """
        lines = [f"{method} {path} HTTP/1.1", "Host: here"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        return self.send(("\r\n".join(lines) + "\r\n\r\n").encode())

    def answer(self, *, head: bool = False) -> Answer:
        """Read the next answer. If ``head`` is true, the answer has no body, whatever its content-length says."""
        status = int(self._read.readline().split(b" ")[1])
        headers: dict[str, str] = {}
        while line := self._read.readline().strip():
            name, _, value = line.decode().partition(":")
            headers[name.lower()] = value.strip()
        length = 0 if head else int(headers.get("content-length", 0))
        return Answer(status, headers, self._read.read(length))

    def is_closed(self) -> bool:
        """Wait until the server closes the connection. Return whether it closed without sending anything more."""
        try:
            return self._read.read() == b""
        except ConnectionResetError:
            return True

    def is_reset(self) -> bool:
        """Return whether the server has ended the connection; nothing is read from the connection."""
        state = self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
        return state != ESTABLISHED

    def close(self) -> None:
        self._read.close()
        self._socket.close()

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass(frozen=True)
class Service:
    """A running server. ``gate`` has the server's counters: waiting calls, bytes of bodies, and the rate of calls."""

    port: int
    app: FastAPI

    @property
    def gate(self) -> Gate:
        found: Gate = self.app.state.gate
        return found

    def wire(self, receive: int | None = None) -> Wire:
        return Wire(self.port, receive)

    def call(self, method: str, path: str, body: bytes = b"", **headers: object) -> Answer:
        """Send one call with its body on a new connection."""
        length = {"content_length": len(body)} if body else {}
        with self.wire() as wire:
            return wire.head(method, path, **length, **headers).send(body).answer(head=method == "HEAD")


@contextmanager
def serving(
    ledger: Participant, limits: Limits | None = None, connections: Connections | None = None
) -> Iterator[Service]:
    """Serve the application on an open ledger, on a local port."""

    @contextmanager
    def already_open() -> Iterator[Participant]:
        yield ledger

    app = create_app(already_open, limits)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        running = server(app, connections, log_level="critical")
        thread = threading.Thread(target=running.run, args=([listening],), daemon=True)
        thread.start()
        until(lambda: running.started)
        try:
            yield Service(listening.getsockname()[1], app)
        finally:
            running.should_exit = running.force_exit = True
            thread.join(CLOSED_SECONDS)


def until(holds: Any) -> None:
    """Wait until ``holds`` returns true."""
    deadline = time.monotonic() + CLOSED_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)
