"""Sends HTTP requests to a node, with limits on the total time and on the bytes of the answer.

HTTP libraries limit only the wait for the next bytes, so a node that sends a byte now and then could keep the caller
waiting for hours. Here one total time limits the whole exchange, from the name look-up to the last byte; every read may
take only what is left of this time. Redirects are not followed, and proxies named in the environment are not used, so
only the configured node is asked.
"""

from __future__ import annotations

import base64
import ipaddress
import queue
import select
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from http.client import HTTPConnection, HTTPException, HTTPResponse
from io import BufferedReader, RawIOBase
from typing import Any, Final
from urllib.parse import SplitResult, unquote, urlsplit

MAX_ANSWER_BYTES: Final = 32 * 1024 * 1024
MAX_HEADER_BYTES: Final = 64 * 1024
_POOL_SIZE: Final = 16
_CHUNK_BYTES: Final = 64 * 1024
_PORTS: Final[Mapping[str, int]] = {"http": 80, "https": 443}
_GZIP_OR_ZLIB: Final = 32 + zlib.MAX_WBITS


class TransportFailure(Exception):
    """No answer arrived. ``reason`` is a word for programs, such as ``timeout``. Never raised outside this package."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class AddressUnusable(Exception):
    """The configured address is not a valid HTTP URL. Never raised outside this package."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A node's HTTP answer; the names of the headers are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport:
    """Keeps connections to one address open between requests. The constructor opens no connection."""

    def __init__(self, url: str, *, max_bytes: int = MAX_ANSWER_BYTES) -> None:
        self._url = url
        self._max_bytes = max_bytes
        self._idle: list[HTTPConnection] = []
        self._lock = threading.Lock()

    @cached_property
    def where(self) -> str:
        """Return the address for display: without user, password, path and query, which may contain secrets."""
        try:
            parts = urlsplit(self._url)
            port = f":{parts.port}" if parts.port else ""
        except ValueError:
            return "rpc_url"
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        rest = "/…" if parts.path.strip("/") or parts.query else ""
        return f"{parts.scheme}://{host}{port}{rest}" if parts.scheme and host else "rpc_url"

    def post(self, body: bytes, *, seconds: float, again: bool) -> Answer:
        """Send a JSON body and return the answer. If no answer arrives within ``seconds``, raise TransportFailure.

        ``again`` says that the request may be sent twice. It is sent a second time if the node has closed the
        connection that was kept open from an earlier request. Raises AddressUnusable if the address is invalid.
        """
        deadline = time.monotonic() + seconds
        kept = self._take()
        if kept is not None:
            try:
                return self._exchange(kept, body, deadline)
            except TransportFailure as failure:
                if failure.reason != "lost" or not again:
                    raise
        return self._exchange(self._connected(deadline), body, deadline)

    def _exchange(self, connection: HTTPConnection, body: bytes, deadline: float) -> Answer:
        keeps = False
        try:
            connection.sock.settimeout(_left(deadline))
            connection.response_class = self._reading(deadline)  # type: ignore[assignment]
            connection.request("POST", self._target, body, self._headers)
            with connection.getresponse() as response:
                answer = self._read(response)
                keeps = not response.will_close
        except TimeoutError:
            raise TransportFailure("timeout") from None
        except (OSError, HTTPException, ValueError) as error:
            raise TransportFailure(_reason(error)) from error
        finally:
            self._give_back(connection, keeps)
        return answer

    def _reading(self, deadline: float) -> Callable[..., HTTPResponse]:
        limit = self._max_bytes + MAX_HEADER_BYTES
        return lambda sock, **rest: HTTPResponse(_Bounded(sock, deadline, limit), **rest)  # type: ignore[arg-type]

    def _read(self, response: HTTPResponse) -> Answer:
        if response.length is not None and response.length > self._max_bytes:
            raise TransportFailure("too large")
        body = bytearray()
        while chunk := response.read(_CHUNK_BYTES):
            body += chunk
            if len(body) > self._max_bytes:
                raise TransportFailure("too large")
        if response.length:
            raise TransportFailure("cut short")
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, headers, self._plain(bytes(body), headers.get("content-encoding", "")))

    def _plain(self, body: bytes, encoding: str) -> bytes:
        """Return the uncompressed body.

        A proxy may compress the body although no compression was requested. The size limit applies to the uncompressed
        bytes too.
        """
        match encoding.strip().lower():
            case "" | "identity":
                return body
            case "gzip" | "x-gzip" | "deflate":
                plain = _unpacked(body, self._max_bytes + 1)
            case _:
                raise TransportFailure("encoding")
        if len(plain) > self._max_bytes:
            raise TransportFailure("too large")
        return plain

    def _take(self) -> HTTPConnection | None:
        """Return an idle connection that the node has not closed, or None."""
        while True:
            with self._lock:
                if not self._idle:
                    return None
                connection = self._idle.pop()
            # On an idle connection, nothing should arrive. If something has arrived, the connection is not used again:
            # the node has closed it, or the rest of an earlier answer is still arriving.
            if not select.select([connection.sock], [], [], 0)[0]:
                return connection
            connection.close()

    def _give_back(self, connection: HTTPConnection, keeps: bool) -> None:
        with self._lock:
            if keeps and len(self._idle) < _POOL_SIZE:
                self._idle.append(connection)
                return
        connection.close()

    def _connected(self, deadline: float) -> HTTPConnection:
        host, port = self._place
        connection = HTTPConnection(host, port)
        connection.default_port = _PORTS[self._parts.scheme]
        try:
            connection.sock = self._secured(_open(host, port, deadline), host, deadline)
        except TimeoutError:
            raise TransportFailure("timeout") from None
        except (OSError, ValueError) as error:
            raise TransportFailure(_reason(error)) from error
        return connection

    def _secured(self, plain: socket.socket, host: str, deadline: float) -> socket.socket:
        if self._parts.scheme != "https":
            return plain
        try:
            plain.settimeout(_left(deadline))
            return self._tls.wrap_socket(plain, server_hostname=host)
        except BaseException:
            plain.close()
            raise

    @cached_property
    def _parts(self) -> SplitResult:
        try:
            parts = urlsplit(self._url)
            usable = parts.scheme in _PORTS and bool(parts.hostname) and parts.port != 0
        except ValueError:
            usable = False
        if not usable or not self._url.isascii() or any(letter.isspace() for letter in self._url):
            raise AddressUnusable
        return parts

    @property
    def _place(self) -> tuple[str, int]:
        return str(self._parts.hostname), self._parts.port or _PORTS[self._parts.scheme]

    @cached_property
    def _target(self) -> str:
        query = f"?{self._parts.query}" if self._parts.query else ""
        return (self._parts.path or "/") + query

    @cached_property
    def _headers(self) -> Mapping[str, str]:
        headers = {"Content-Type": "application/json", "Accept": "application/json", "Accept-Encoding": "identity"}
        if self._parts.username is not None:
            pair = f"{unquote(self._parts.username)}:{unquote(self._parts.password or '')}"
            headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        return headers

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """Return a TLS context that trusts the system's root certificates, or the certificates in the file that
        ``SSL_CERT_FILE`` names.
        """
        return ssl.create_default_context()


class _Bounded(RawIOBase):
    """A socket as a file for ``HTTPResponse``. One deadline and one limit of bytes apply to all its reads together."""

    def __init__(self, sock: socket.socket, deadline: float, limit: int) -> None:
        super().__init__()
        self._socket = sock
        # This reference keeps the socket open until the body is read, even if the connection is closed before that.
        self._file = sock.makefile("rb", buffering=0)
        self._deadline = deadline
        self._rest = limit

    def makefile(self, *_: Any, **__: Any) -> BufferedReader:
        """Return a buffered reader of this socket; ``HTTPResponse`` calls this method."""
        return BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        self._socket.settimeout(_left(self._deadline))
        count = self._file.readinto(buffer) or 0
        self._rest -= count
        if self._rest < 0:
            raise TransportFailure("too large")
        return count

    def close(self) -> None:
        self._file.close()
        super().close()


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _open(host: str, port: int, deadline: float) -> socket.socket:
    """Try the addresses of a host in turn, and return the first socket that connects. One deadline limits all attempts
    together.
    """
    failure: OSError = OSError("the name has no address")
    for family, kind, protocol, _, address in _addresses(host, port, deadline):
        opened = socket.socket(family, kind, protocol)
        try:
            opened.settimeout(_left(deadline))
            opened.connect(address)
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            opened.close()
            failure = error
            continue
        return opened
    raise failure


def _addresses(host: str, port: int, deadline: float) -> Any:
    """Look up the addresses of a host in a thread.

    The system sets no time limit on a look-up. So the caller waits for the thread only until the deadline, and the
    thread may run on.
    """
    if _is_address(host):
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    answers: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            answers.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, ValueError) as error:
            answers.put(error)

    threading.Thread(target=look_up, daemon=True, name="look-up").start()
    try:
        found = answers.get(timeout=_left(deadline))
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(found, Exception):
        raise found
    return found


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _unpacked(body: bytes, limit: int) -> bytes:
    unpacking = zlib.decompressobj(_GZIP_OR_ZLIB)
    try:
        plain = unpacking.decompress(body, limit)
    except zlib.error as error:
        raise TransportFailure("encoding") from error
    if not unpacking.eof and len(plain) < limit:
        raise TransportFailure("cut short")
    return plain


def _reason(error: Exception) -> str:
    """Return the word for programs that names an error. ``lost``: the node closed the connection, perhaps because it
    was idle.
    """
    if isinstance(error, ssl.SSLError):
        return "tls"
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    if isinstance(error, ConnectionError):
        return "lost"
    return "unreachable" if isinstance(error, OSError) else "no http"
