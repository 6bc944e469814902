"""Tests network faults: endless, slow and broken answers, closed connections, and proxies."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import pytest

from ledger.chain.rpc.connection import Connection
from tests.chain.rpc.healthy_node import MAX_BYTES, READERS, refused
from tests.support.chain.faulty_node import FaultyNode, Turn
from tests.support.chain.node_faults import SLOW, WIRE


@pytest.mark.parametrize("fault", WIRE)
@pytest.mark.parametrize("batched", [False, True])
def test_a_network_fault_is_reported_before_the_limits_of_time_and_memory_are_reached(
    node: FaultyNode, connection: Connection, fault: str, batched: bool
) -> None:
    node.fault = WIRE[fault]
    ask = (lambda: connection.ask_many([("eth_chainId", [])])) if batched else connection.chain_id
    error = refused(ask, node)
    assert error.code in {"NODE_ANSWER_INVALID", "CHAIN_UNREACHABLE"}
    assert error.details["reason"] != "timeout"
    node.fault = None
    assert connection.chain_id() == 1337


@pytest.mark.parametrize(
    "fault", ["gzip bomb", "endless body", "endless chunks", "a negative chunk", "endless headers"]
)
def test_an_endless_answer_takes_no_more_memory_than_the_limit(
    node: FaultyNode, connection: Connection, fault: str
) -> None:
    connection.chain_id()
    packed = gzip.compress(b"[" + b" " * (8 << 20) + b"]")
    bomb = {"gzip bomb": lambda turn: turn.give(packed, headers={"Content-Encoding": "gzip"})}
    node.fault = {**WIRE, **bomb}[fault]
    tracemalloc.start()
    try:
        refused(connection.chain_id, node)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 * MAX_BYTES


def test_a_compressed_answer_is_read_within_the_limit(node: FaultyNode, connection: Connection) -> None:
    def packed(turn: Turn) -> None:
        turn.give(gzip.compress(json.dumps(turn.healthy).encode()), headers={"Content-Encoding": "gzip"})

    node.fault = packed
    assert connection.chain_id() == 1337


@pytest.mark.parametrize("fault", SLOW)
@pytest.mark.parametrize("reader", ["chain_id", "blocks", "logs"])
def test_a_node_that_answers_too_slowly_causes_a_timeout(node: FaultyNode, fault: str, reader: str) -> None:
    """Each byte arrives in time, but the whole answer takes too long."""
    node.fault = SLOW[fault]
    error = refused(lambda: READERS[reader](Connection(node.url, timeout=0.5)), node)
    assert (error.code, error.details["reason"]) == ("CHAIN_UNREACHABLE", "timeout")


def test_a_read_waits_at_most_ten_seconds_and_a_send_at_most_thirty_seconds() -> None:
    for given, expected in ({}, (10, 30)), ({"timeout": 1}, (1, 3)), ({"timeout": 1, "send_timeout": 2}, (1, 2)):
        connection = Connection("http://127.0.0.1:9", **given)
        assert (connection.timeout, connection.send_timeout) == expected


def test_a_reused_connection_that_the_node_closed_is_opened_again(node: FaultyNode, connection: Connection) -> None:
    """The client notices that the node closed the connection only when it sends the next request. The client sends the
    request again on a new connection, but only if sending it twice is harmless.
    """
    closing = WIRE["closes at once"]
    assert connection.chain_id() == 1337
    left = iter([closing])
    node.fault = lambda turn: next(left, lambda each: each.give(each.healthy))(turn)
    assert connection.chain_id() == 1337
    assert node.count("eth_chainId") == 3
    left = iter([closing])
    assert refused(lambda: connection.ask("evm_mine"), node).details["reason"] == "lost"
    assert node.count("evm_mine") == 1


def test_no_thread_uses_a_proxy_from_the_environment(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "")
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: connection.block_number(), range(8))) == [7] * 8
