"""A faulty node: an HTTP server that passes calls to a real node, and damages the answers with the chosen fault.

    with FaultyNode(upstream=node.url) as faulty:      # or answers={"eth_chainId": "0x539"}, or a function of the call
        connection = Connection(faulty.url, timeout=1)
        faulty.fault = FAULTS["slow body"]             # from now on, for every request
        faulty.fault = only(FAULTS["null"], "eth_getBlockByNumber")
        faulty.fault = None                            # healthy again

``FAULTS`` maps names to faults. ``calls`` lists the method of each received call, ``requests`` counts HTTP requests.
"""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

Call = dict[str, Any]
Answers = Callable[[Call], Any] | Mapping[str, Any]
Spoil = Callable[["Turn"], None]


class Refusal(Exception):
    """A JSON-RPC error. If a function that answers calls raises it, the node answers with this error."""

    def __init__(self, message: str, code: int = -32000, data: Any = None) -> None:
        super().__init__(message)
        self.error = {"code": code, "message": message, **({} if data is None else {"data": data})}


@dataclass(frozen=True, slots=True)
class Turn:
    """One request: the call, the answer of a healthy node, and the connection."""

    asked: Call | list[Call]
    healthy: Any
    handler: _Handler

    @property
    def methods(self) -> set[str]:
        return {call["method"] for call in self._calls}

    def ask(self, method: str, *params: Any) -> Any:
        """Make another call to the healthy node, and return the call's result."""
        call = {"jsonrpc": "2.0", "id": 0, "method": method, "params": list(params)}
        return self.handler.server.node.healthy(call)["result"]

    @property
    def _calls(self) -> list[Call]:
        return self.asked if isinstance(self.asked, list) else [self.asked]

    def give(self, value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        """Send the answer: bytes are sent unchanged, everything else as JSON."""
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.raw(status, {"Content-Length": str(len(body)), **(headers or {})}, body)

    def raw(self, status: int, headers: Mapping[str, str], body: bytes = b"") -> None:
        self.handler.send_response(status)
        for name, text in {"Content-Type": "application/json", **headers}.items():
            self.handler.send_header(name, text)
        self.handler.end_headers()
        self.handler.wfile.write(body)

    def each(self, change: Callable[[Call, Any], Any]) -> None:
        """For each call, take the healthy node's answer, apply ``change`` to it, and send the result."""
        answers = self.healthy if isinstance(self.asked, list) else [self.healthy]
        changed = [change(call, answer) for call, answer in zip(self._calls, answers, strict=True)]
        self.give(changed if isinstance(self.asked, list) else changed[0])

    def drip(self, data: bytes, seconds: float = 0.2) -> None:
        """Send the data one byte at a time, until the caller closes the connection or the test ends."""
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
        """Ignore errors of closed connections, because the tests expect that callers stop waiting."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.node.answer(asked, self)

    def log_message(self, *_: Any) -> None:
        pass


class FaultyNode:
    """A faulty node; see the docstring of the module. The answers that it damages come from the node at ``upstream``,
    or from ``answers``.
    """

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
        fault = self.fault or answer_well
        fault(Turn(asked, self.healthy(asked), handler))

    def healthy(self, asked: Call | list[Call]) -> Any:
        """Return the answer of a healthy node to one call or a batch."""
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


def answer_well(turn: Turn) -> None:
    turn.give(turn.healthy)
