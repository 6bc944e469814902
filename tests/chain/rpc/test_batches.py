"""Tests that each call of a batch gets its own answer, even if the node refuses the batch or changes its order."""

from __future__ import annotations

import pytest

from ledger.chain.rpc.connection import Connection
from tests.chain.rpc.healthy_node import refused
from tests.support.chain.faulty_node import FaultyNode, Turn
from tests.support.chain.node_faults import BATCHES


@pytest.mark.parametrize("fault", BATCHES)
def test_a_batch_needs_exactly_one_answer_for_each_call(node: FaultyNode, connection: Connection, fault: str) -> None:
    node.fault = BATCHES[fault]
    error = refused(lambda: connection.ask_many([("eth_chainId", []), ("eth_blockNumber", [])]), node)
    assert error.code == "NODE_ANSWER_INVALID"


def test_the_answers_of_a_batch_are_in_the_order_of_the_calls() -> None:
    with FaultyNode(answers=lambda call: call["params"][0]) as node:
        node.fault = lambda turn: turn.give(list(reversed(turn.healthy)))
        wanted = [("echo", [str(number)]) for number in range(250)]
        assert Connection(node.url).ask_many(wanted) == [str(number) for number in range(250)]
        assert node.requests == 3


@pytest.mark.parametrize("fault", ["batches are not supported", "batch too large"])
def test_a_node_that_accepts_no_batches_gets_single_calls(fault: str) -> None:
    def batchless(turn: Turn) -> None:
        if isinstance(turn.asked, list):
            turn.give({"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": fault}})
        else:
            turn.give(turn.healthy)

    with FaultyNode(answers=lambda call: call["params"][0]) as node:
        node.fault = batchless
        connection = Connection(node.url)
        assert connection.ask_many([("echo", [number]) for number in range(9)]) == list(range(9))
        asked = node.requests
        assert connection.ask_many([("echo", [number]) for number in range(9)]) == list(range(9))
        # For the second list, the connection already knows that it must send each call alone.
        assert (asked, node.requests - asked) == (8 + 9, 9)


def test_a_batch_that_is_too_large_for_the_node_is_halved(node: FaultyNode) -> None:
    def small(turn: Turn) -> None:
        many = isinstance(turn.asked, list) and len(turn.asked) > 20
        turn.give(b"", 413) if many else turn.give(turn.healthy)

    node.fault = small
    connection = Connection(node.url)
    for _ in range(2):
        assert connection.ask_many([("eth_chainId", [])] * 100) == ["0x539"] * 100
    # The first list is halved until the parts are small enough (100, 50, 25, then 12 or 13 calls): the node refuses
    # seven requests and accepts eight, each with 12 or 13 calls. The second list needs only eight requests, because the
    # connection remembers the size that the node accepts.
    assert node.requests == 7 + 8 + 8


def test_one_refused_call_makes_the_whole_batch_fail(node: FaultyNode, connection: Connection) -> None:
    error = refused(lambda: connection.ask_many([("eth_chainId", []), ("no_such", [])]), node)
    assert error.code == "NODE_REFUSED" and "no_such" in error.details["reason"]
    assert node.requests == 1
