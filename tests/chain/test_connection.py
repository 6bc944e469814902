"""What a node may answer, and what we make of it: a server of our own answers whatever is asked of it here."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from ledger.chain.connection import Connection, RpcFault
from ledger.errors import ChainUnavailable


class Node(ThreadingHTTPServer):
    """Says what it is told to say: ``answer`` is bytes, a JSON value, or a function of what was asked."""

    status: int = 200
    answer: Any


class Answering(BaseHTTPRequestHandler):
    """Answers every call with the server's ``answer``, or the n-th of a batch with its place."""

    server: Node

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer = self.server.answer
        body = answer(asked) if callable(answer) else answer
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Node]:
    with Node(("127.0.0.1", 0), Answering) as made:
        made.answer = {"jsonrpc": "2.0", "id": 0, "result": "0x7"}
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        yield made
        made.shutdown()
        thread.join()


@pytest.fixture
def connection(server: Node) -> Connection:
    return Connection(f"http://127.0.0.1:{server.server_address[1]}", timeout=5)


def test_a_call_is_json_rpc(server: Node, connection: Connection) -> None:
    asked: list[Any] = []
    server.answer = lambda call: asked.append(call) or {"result": "0x539"}
    assert connection.chain_id() == 1337
    assert asked == [{"jsonrpc": "2.0", "id": 0, "method": "eth_chainId", "params": []}]


def test_a_batch_comes_back_in_the_order_asked(server: Node, connection: Connection) -> None:
    server.answer = lambda calls: [{"id": each["id"], "result": each["params"][0]} for each in reversed(calls)]
    wanted = [("echo", [str(number)]) for number in range(250)]
    assert connection.ask_many(wanted) == [str(number) for number in range(250)]


@pytest.mark.parametrize(
    "answers",
    [
        {"error": {"message": "no batches here"}},
        [],
        [{"id": 0, "result": "0x1"}],
        [{"id": 0, "result": "0x1"}, {"id": 1, "error": {"message": "no"}}],
        [{"id": 0, "result": "0x1"}, {"id": 0, "result": "0x1"}],
        [{"result": "0x1"}, {"result": "0x1"}],
        "0x1",
    ],
)
def test_a_batch_that_is_not_answered_in_full_is_refused(server: Node, connection: Connection, answers: Any) -> None:
    server.answer = answers
    with pytest.raises(ChainUnavailable) as caught:
        connection.ask_many([("eth_call", []), ("eth_call", [])])
    assert caught.value.code == "NODE_REFUSED"


def test_a_batch_of_what_is_no_answer_is_no_node(server: Node, connection: Connection) -> None:
    server.answer = ["0x1", "0x1"]
    with pytest.raises(ChainUnavailable) as caught:
        connection.ask_many([("eth_call", []), ("eth_call", [])])
    assert caught.value.code == "CHAIN_UNREACHABLE"


@pytest.mark.parametrize(("status", "answer"), [(500, b"{}"), (200, b"<html>"), (200, b""), (403, b"no")])
def test_what_is_no_answer_is_no_node(server: Node, connection: Connection, status: int, answer: bytes) -> None:
    server.status, server.answer = status, answer
    with pytest.raises(ChainUnavailable) as caught:
        connection.block_number()
    assert caught.value.code == "CHAIN_UNREACHABLE"


@pytest.mark.parametrize("answer", [[], "0x7", 7, None, {"error": "plain text"}, {"error": {"message": "no"}}])
def test_what_is_no_result_is_a_fault(server: Node, connection: Connection, answer: Any) -> None:
    server.answer = answer
    with pytest.raises(RpcFault):
        connection.request("eth_blockNumber")


def test_no_thread_goes_through_a_proxy_of_the_environment(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "")
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: connection.block_number(), range(8))) == [7] * 8
