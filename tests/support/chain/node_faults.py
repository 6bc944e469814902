"""Faults in a node's answers, in groups: a wrong result, body, batch or HTTP status, a broken connection, or a long
wait.
"""

from __future__ import annotations

import gzip
import itertools
import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from tests.support.chain.faulty_node import Call, Refusal, Spoil, Turn, answer_well

ENDLESS_CHUNK: Final = b"[" * 65536
_HASH_CHARACTERS: Final = 66


def only(fault: Spoil, *methods: str) -> Spoil:
    """Apply the fault only to requests with one of these methods."""
    return lambda turn: fault(turn) if turn.methods & set(methods) else answer_well(turn)


def once(fault: Spoil, times: int = 1) -> Spoil:
    """Apply the fault only to the first ``times`` requests."""
    left = iter(range(times))
    return lambda turn: answer_well(turn) if next(left, None) is None else fault(turn)


def alternating(*faults: Spoil | None) -> Spoil:
    """Use the faults in turn, one for each request, as if several nodes answered at one address. None means a healthy
    node.
    """
    order = itertools.cycle(faults)
    return lambda turn: (next(order) or answer_well)(turn)


def behind(height: int) -> Spoil:
    """Answer like a node that does not have the blocks after ``height`` yet."""

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
    """Replace the result in each answer; the rest of the answer has the correct form."""
    return lambda turn: turn.each(lambda call, _: {"jsonrpc": "2.0", "id": call["id"], "result": value})


def refusal(message: str, code: int = -32000, data: Any = None) -> Spoil:
    """Answer each call with a JSON-RPC error."""
    error = Refusal(message, code, data).error
    return lambda turn: turn.each(lambda call, _: {"jsonrpc": "2.0", "id": call["id"], "error": error})


def body(value: Any) -> Spoil:
    """Replace the answer's body: bytes are sent unchanged, everything else as JSON."""
    return lambda turn: turn.give(value)


def status(code: int, retry_after: str | None = None, value: Any = b"<html>no</html>") -> Spoil:
    """Answer with an HTTP status, with or without ``Retry-After``."""
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return lambda turn: turn.give(value, code, headers)


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
"""Invalid results; some of them are valid for a particular call."""

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
"""Bodies that are not a JSON-RPC answer."""

BATCHES: Final[Mapping[str, Spoil]] = {
    "too few": _batch(lambda answers: answers[:-1]),
    "too many": _batch(lambda answers: [*answers, {"jsonrpc": "2.0", "id": 10**6, "result": "0x1"}]),
    "one twice": _batch(lambda answers: [*answers[:-1], answers[0]]),
    "one besides": _batch(lambda answers: [*answers, answers[0]]),
    "none": _batch(lambda _: []),
    "one null": _batch(lambda answers: [None, *answers[1:]]),
    "a number": _batch(lambda _: 7),
}
"""Answers to a batch without exactly one answer for each call."""

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
"""Immediate failures below HTTP."""

SLOW: Final[Mapping[str, Spoil]] = {
    "never": lambda turn: turn.hang(),
    "slow body": _slow_body,
    "slow headers": _slow_headers,
    "endless 100 Continue": _continues,
}
"""Answers that arrive too late, or never."""

FAULTS: Final[Mapping[str, Spoil]] = {**RESULTS, **BODIES, **HTTP, **WIRE, **SLOW}
