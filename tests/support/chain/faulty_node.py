"""A node that goes wrong: an HTTP server that passes calls on to a real node, and spoils the answers as it is told.

    with FaultyNode(upstream=node.url) as faulty:      # or answers={"eth_chainId": "0x539"}, or a function of the call
        connection = Connection(faulty.url, timeout=1)
        faulty.fault = FAULTS["slow body"]             # from now on, for every request
        faulty.fault = only(FAULTS["null"], "eth_getBlockByNumber")
        faulty.fault = None                            # healthy again

``FAULTS`` has every fault by name. ``calls`` has the method of each call that came, ``requests`` counts HTTP requests.
"""

from __future__ import annotations

import gzip
import itertools
import json
import threading
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, Self

Call = dict[str, Any]
Answers = Callable[[Call], Any] | Mapping[str, Any]
Spoil = Callable[["Turn"], None]
ENDLESS_CHUNK: Final = b"[" * 65536
_HASH_CHARACTERS: Final = 66


class Refusal(Exception):
    """Raised by a function that answers calls: the node refuses with this JSON-RPC error."""

    def __init__(self, message: str, code: int = -32000, data: Any = None) -> None:
        super().__init__(message)
        self.error = {"code": code, "message": message, **({} if data is None else {"data": data})}


@dataclass(frozen=True, slots=True)
class Turn:
    """One request: what was asked, what a healthy node answers, and the connection to spoil."""

    asked: Call | list[Call]
    healthy: Any
    handler: _Handler

    @property
    def methods(self) -> set[str]:
        return {call["method"] for call in self._calls}

    def ask(self, method: str, *params: Any) -> Any:
        """What a healthy node answers to another call: its result."""
        call = {"jsonrpc": "2.0", "id": 0, "method": method, "params": list(params)}
        return self.handler.server.node.healthy(call)["result"]

    @property
    def _calls(self) -> list[Call]:
        return self.asked if isinstance(self.asked, list) else [self.asked]

    def give(self, value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        """Answer with JSON, or with bytes as they are."""
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.raw(status, {"Content-Length": str(len(body)), **(headers or {})}, body)

    def raw(self, status: int, headers: Mapping[str, str], body: bytes = b"") -> None:
        self.handler.send_response(status)
        for name, text in {"Content-Type": "application/json", **headers}.items():
            self.handler.send_header(name, text)
        self.handler.end_headers()
        self.handler.wfile.write(body)

    def each(self, change: Callable[[Call, Any], Any]) -> None:
        """Answer each call with its healthy answer changed."""
        answers = self.healthy if isinstance(self.asked, list) else [self.healthy]
        changed = [change(call, answer) for call, answer in zip(self._calls, answers, strict=True)]
        self.give(changed if isinstance(self.asked, list) else changed[0])

    def drip(self, data: bytes, seconds: float = 0.2) -> None:
        """Send byte by byte, until the caller or the test has enough."""
        for byte in data:
            if self.handler.server.stopped.wait(seconds):
                return
            self.handler.wfile.write(bytes([byte]))

    def hang(self) -> None:
        self.handler.server.stopped.wait(600)

    def close(self) -> None:
        self.handler.close_connection = True


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, node: FaultyNode) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.node = node
        self.stopped = threading.Event()

    def handle_error(self, *_: Any) -> None:
        """A caller that has enough closes the connection: that is what the test is about."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.node.answer(asked, self)

    def log_message(self, *_: Any) -> None:
        pass


class FaultyNode:
    """See the module. ``upstream`` is a real node's URL; else ``answers`` has results by method, or makes them."""

    def __init__(self, upstream: str | None = None, answers: Answers | None = None) -> None:
        self.fault: Spoil | None = None
        self.calls: list[str] = []
        self.requests = 0
        self.upstream = upstream
        self._answers = {} if answers is None else answers
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def count(self, method: str) -> int:
        return self.calls.count(method)

    def answer(self, asked: Call | list[Call], handler: _Handler) -> None:
        calls = asked if isinstance(asked, list) else [asked]
        self.calls += [call["method"] for call in calls]
        self.requests += 1
        fault = self.fault or _healthy
        fault(Turn(asked, self.healthy(asked), handler))

    def healthy(self, asked: Call | list[Call]) -> Any:
        """What a healthy node answers to one call or a batch."""
        if self.upstream is not None:
            return self._passed_on(asked)
        return [self._answered(call) for call in asked] if isinstance(asked, list) else self._answered(asked)

    def _answered(self, call: Call) -> Any:
        try:
            result = self._answers(call) if callable(self._answers) else self._answers[call["method"]]
        except Refusal as refusal:
            return {"jsonrpc": "2.0", "id": call["id"], "error": refusal.error}
        except KeyError:
            error = {"code": -32601, "message": f"the method {call['method']} does not exist/is not available"}
            return {"jsonrpc": "2.0", "id": call["id"], "error": error}
        return {"jsonrpc": "2.0", "id": call["id"], "result": result}

    def _passed_on(self, asked: Any) -> Any:
        request = urllib.request.Request(
            str(self.upstream), json.dumps(asked).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stopped.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def only(fault: Spoil, *methods: str) -> Spoil:
    """The fault in requests with one of these methods; others are answered well."""
    return lambda turn: fault(turn) if turn.methods & set(methods) else _healthy(turn)


def once(fault: Spoil, times: int = 1) -> Spoil:
    """The fault for the first so many requests."""
    left = iter(range(times))
    return lambda turn: _healthy(turn) if next(left, None) is None else fault(turn)


def alternating(*faults: Spoil | None) -> Spoil:
    """Each request meets the next of these, as where several nodes share one address; None is a healthy one."""
    order = itertools.cycle(faults)
    return lambda turn: (next(order) or _healthy)(turn)


def behind(height: int) -> Spoil:
    """A node that has not seen the blocks after ``height`` yet."""

    def change(turn: Turn, call: Call, answer: Any) -> Any:
        method, params = call["method"], call["params"]
        texts = [each for each in params if isinstance(each, str)]
        numbers = [int(each, 16) for each in texts if each.startswith("0x") and len(each) < _HASH_CHARACTERS]
        if method == "eth_blockNumber":
            return {**answer, "result": hex(height)}
        if "latest" in params and method in {"eth_getBlockByNumber", "eth_call"}:
            known = [hex(height) if each == "latest" else each for each in params]
            return {**answer, "result": turn.ask(method, *known)}
        if method == "eth_getBlockByNumber" and numbers and numbers[0] > height:
            return {**answer, "result": None}
        if method == "eth_call" and numbers and numbers[0] > height:
            return {"jsonrpc": "2.0", "id": call["id"], "error": {"code": -32000, "message": "header not found"}}
        if method == "eth_getLogs":
            return {**answer, "result": [log for log in answer["result"] if int(log["blockNumber"], 16) <= height]}
        return answer

    return lambda turn: turn.each(lambda call, answer: change(turn, call, answer))


def result(value: Any) -> Spoil:
    """Another result in each answer, in good form otherwise."""
    return lambda turn: turn.each(lambda call, _: {"jsonrpc": "2.0", "id": call["id"], "result": value})


def refusal(message: str, code: int = -32000, data: Any = None) -> Spoil:
    """A JSON-RPC error in each answer."""
    error = Refusal(message, code, data).error
    return lambda turn: turn.each(lambda call, _: {"jsonrpc": "2.0", "id": call["id"], "error": error})


def body(value: Any) -> Spoil:
    """Another body: JSON, or bytes as they are."""
    return lambda turn: turn.give(value)


def status(code: int, retry_after: str | None = None, value: Any = b"<html>no</html>") -> Spoil:
    """A status of HTTP, with or without ``Retry-After``."""
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return lambda turn: turn.give(value, code, headers)


def _healthy(turn: Turn) -> None:
    turn.give(turn.healthy)


def _other_ids(turn: Turn) -> None:
    turn.each(lambda call, answer: {**answer, "id": call["id"] + 1000})


def _no_ids(turn: Turn) -> None:
    turn.each(lambda call, answer: {name: value for name, value in answer.items() if name != "id"})


def _true_ids(turn: Turn) -> None:
    turn.each(lambda call, answer: {**answer, "id": True})


def _batch(change: Callable[[list[Any]], Any]) -> Spoil:
    return lambda turn: turn.give(change(list(turn.healthy)) if isinstance(turn.healthy, list) else [turn.healthy] * 2)


def _redirect(turn: Turn) -> None:
    turn.raw(307, {"Location": "http://127.0.0.1:9/", "Content-Length": "0"})


def _bomb(turn: Turn) -> None:
    packed = gzip.compress(b"[" + b" " * (64 << 20) + b"]", 9)
    turn.give(packed, headers={"Content-Encoding": "gzip"})


def _endless(turn: Turn) -> None:
    turn.raw(200, {"Connection": "close"})
    turn.close()
    while not turn.handler.server.stopped.is_set():
        turn.handler.wfile.write(ENDLESS_CHUNK)


def _endless_chunks(turn: Turn) -> None:
    turn.raw(200, {"Transfer-Encoding": "chunked"})
    while not turn.handler.server.stopped.is_set():
        turn.handler.wfile.write(b"10000\r\n" + ENDLESS_CHUNK + b"\r\n")


def _negative_chunk(turn: Turn) -> None:
    turn.raw(200, {"Transfer-Encoding": "chunked"})
    turn.handler.wfile.write(b"-1\r\n")
    while not turn.handler.server.stopped.is_set():
        turn.handler.wfile.write(ENDLESS_CHUNK)


def _endless_headers(turn: Turn) -> None:
    turn.handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    while not turn.handler.server.stopped.is_set():
        turn.handler.wfile.write(b"X-More: " + b"a" * 60_000 + b"\r\n")


def _slow_body(turn: Turn) -> None:
    raw = json.dumps(turn.healthy).encode()
    turn.raw(200, {"Content-Length": str(len(raw))})
    turn.drip(raw)


def _slow_headers(turn: Turn) -> None:
    turn.drip(b"HTTP/1.1 200 OK\r\nX-Slow: " + b"a" * 2000)


def _continues(turn: Turn) -> None:
    while not turn.handler.server.stopped.wait(0.05):
        turn.handler.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")


def _cut_short(turn: Turn) -> None:
    raw = json.dumps(turn.healthy).encode()
    turn.raw(200, {"Content-Length": str(len(raw) + 100)}, raw)
    turn.close()


def _cut_json(turn: Turn) -> None:
    turn.give(json.dumps(turn.healthy).encode()[:-1])


def _raw(data: bytes) -> Spoil:
    def spoil(turn: Turn) -> None:
        turn.handler.wfile.write(data)
        turn.close()

    return spoil


RESULTS: Final[Mapping[str, Spoil]] = {
    "null": result(None),
    "a number": result(7),
    "a negative number": result(-1),
    "a fraction": result(1.5),
    "true": result(True),
    "a list": result([]),
    "a list of lists": result([[], []]),
    "a list of null": result([None]),
    "an object": result({}),
    "text": result("latest"),
    "no hex": result("0xzz"),
    "hex of odd length": result("0x123"),
    "hex with a sign": result("0x-1"),
    "hex with a space": result("0x 1"),
    "empty hex": result("0x"),
    "empty text": result(""),
    "hex too long": result("0x" + "f" * 66),
    "hex far too long": result("0x" + "f" * 200_000),
    "wide digits": result("0x１２"),
}
"""Results that are none; some are right for one call or another."""

BODIES: Final[Mapping[str, Spoil]] = {
    "no body": body(b""),
    "no JSON": body(b"<html>Welcome</html>"),
    "JSON that ends early": _cut_json,
    "JSON that is too deep": body(b"[" * 200_000),
    "too many lists": body(b"[" + b"[]," * 600_000 + b"[]]"),
    "no UTF-8": body(b'{"jsonrpc":"2.0","id":1,"result":"\xff\xfe"}'),
    "a bare null": body(None),
    "a bare number": body(7),
    "a bare list": body([]),
    "a list of numbers": body([1, 2]),
    "an empty object": body({}),
    "no result": body({"jsonrpc": "2.0", "id": 1}),
    "the number of another call": _other_ids,
    "no number": _no_ids,
    "true for a number": _true_ids,
}
"""Bodies that are no answer."""

BATCHES: Final[Mapping[str, Spoil]] = {
    "too few": _batch(lambda answers: answers[:-1]),
    "too many": _batch(lambda answers: [*answers, {"jsonrpc": "2.0", "id": 10**6, "result": "0x1"}]),
    "one twice": _batch(lambda answers: [*answers[:-1], answers[0]]),
    "one besides": _batch(lambda answers: [*answers, answers[0]]),
    "none": _batch(lambda _: []),
    "one null": _batch(lambda answers: [None, *answers[1:]]),
    "a number": _batch(lambda _: 7),
}
"""Answers to a batch that are not one to each call."""

HTTP: Final[Mapping[str, Spoil]] = {
    "redirect": _redirect,
    "401": status(401),
    "403": status(403),
    "404": status(404),
    "429": status(429),
    "429 with Retry-After": status(429, "17"),
    "429 with a date": status(429, "Wed, 21 Oct 2026 07:28:00 GMT"),
    "500": status(500),
    "502": status(502),
    "503 with Retry-After": status(503, "3"),
    "204": status(204, value=b""),
}
"""Statuses of HTTP."""

WIRE: Final[Mapping[str, Spoil]] = {
    "gzip bomb": _bomb,
    "no gzip": lambda turn: turn.give(b"0x1", headers={"Content-Encoding": "gzip"}),
    "unknown encoding": lambda turn: turn.give(turn.healthy, headers={"Content-Encoding": "br"}),
    "endless body": _endless,
    "endless chunks": _endless_chunks,
    "a negative chunk": _negative_chunk,
    "a chunk of no size": lambda turn: turn.raw(200, {"Transfer-Encoding": "chunked"}, b"xyz\r\nabc\r\n"),
    "endless headers": _endless_headers,
    "a huge length": lambda turn: turn.raw(200, {"Content-Length": str(1 << 60)}, b"{"),
    "ends too early": _cut_short,
    "closes at once": lambda turn: turn.close(),
    "no HTTP": _raw(b"SSH-2.0-OpenSSH_9.6\r\n"),
    "HTTP of the future": _raw(b"HTTP/9.9 200 OK\r\n\r\n"),
    "a status of letters": _raw(b"HTTP/1.1 abc OK\r\n\r\n"),
}
"""Answers that go wrong below HTTP, at once."""

SLOW: Final[Mapping[str, Spoil]] = {
    "never": lambda turn: turn.hang(),
    "slow body": _slow_body,
    "slow headers": _slow_headers,
    "endless 100 Continue": _continues,
}
"""Answers that do not come in time."""

FAULTS: Final[Mapping[str, Spoil]] = {**RESULTS, **BODIES, **HTTP, **WIRE, **SLOW}
