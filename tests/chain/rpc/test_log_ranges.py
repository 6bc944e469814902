"""Tests that a request for logs of many blocks is split if the node refuses it, whatever error message the
node sends.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from ledger.chain.rpc.connection import Connection
from tests.chain.rpc.healthy_node import ADDRESS, HEALTHY, LOG, MAX_BYTES, refused
from tests.support.chain.faulty_node import Call, FaultyNode, Refusal, Turn
from tests.support.chain.node_faults import SLOW, WIRE, only, refusal

LIMITS: Final = json.loads((Path(__file__).parent / "cases" / "log-limits.json").read_text("utf-8"))


class Limited:
    """A node that has one log in every block, and refuses requests for more blocks than its limit."""

    def __init__(self, most: int, refuse: Callable[[Turn], None]) -> None:
        self.most = most
        self.ranges: list[tuple[int, int]] = []
        self._refuse = refuse

    def answer(self, call: Call) -> Any:
        if call["method"] != "eth_getLogs":
            return HEALTHY[call["method"]]
        first, last = (int(call["params"][0][name], 16) for name in ("fromBlock", "toBlock"))
        return [{**LOG, "blockNumber": hex(number)} for number in range(first, last + 1)]

    def fault(self, turn: Turn) -> None:
        calls = turn.asked if isinstance(turn.asked, list) else [turn.asked]
        asked = [call["params"][0] for call in calls if call["method"] == "eth_getLogs"]
        spans = [(int(each["fromBlock"], 16), int(each["toBlock"], 16)) for each in asked]
        self.ranges += spans
        if any(last - first + 1 > self.most for first, last in spans):
            self._refuse(turn)
        else:
            turn.give(turn.healthy)


def numbers(logs: list[dict[str, Any]]) -> list[int]:
    return [int(log["blockNumber"], 16) for log in logs]


def log_refusal(message: str, code: int) -> Callable[[Turn], None]:
    """Refuse every call for logs, whether it is sent alone or in a batch, and no other call."""
    error = Refusal(message, code).error

    def change(call: Call, answer: Any) -> Any:
        return {"id": call["id"], "error": error} if call["method"] == "eth_getLogs" else answer

    return lambda turn: turn.each(change)


REFUSING: Final[dict[str, Callable[[Turn], None]]] = {
    **{each["engine"]: log_refusal(each["message"], each["code"]) for each in LIMITS},
    "413": lambda turn: turn.give(b"too large", 413),
    "an answer that is too large": WIRE["endless body"],
}


@pytest.mark.parametrize("kind", REFUSING)
@pytest.mark.parametrize("batched", [False, True])
def test_a_range_of_logs_that_a_node_refuses_is_halved(kind: str, batched: bool) -> None:
    limited = Limited(1000, REFUSING[kind])
    with FaultyNode(answers=limited.answer) as node:
        node.fault = limited.fault
        connection = Connection(node.url, max_bytes=MAX_BYTES)

        def read(first: int, last: int) -> list[int]:
            if not batched:
                return numbers(connection.logs([ADDRESS], first, last))
            query = {"address": [ADDRESS], "fromBlock": hex(first), "toBlock": hex(last), "topics": []}
            chain_id, logs, number = connection.ask_many(
                [("eth_chainId", []), ("eth_getLogs", [query]), ("eth_blockNumber", [])]
            )
            assert (chain_id, number) == ("0x539", "0x7")
            return numbers(logs)

        assert read(1, 4000) == list(range(1, 4001))
        assert connection.log_range.size == 1000
        limited.ranges.clear()
        assert numbers(connection.logs([ADDRESS], 1, 4000)) == list(range(1, 4001))
        assert limited.ranges == [(1, 1000), (1001, 2000), (2001, 3000), (3001, 4000)]


def test_the_range_of_blocks_grows_again_when_the_node_accepts_more_blocks() -> None:
    limited = Limited(100, refusal("query returned more than 10000 results"))
    with FaultyNode(answers=limited.answer) as node:
        node.fault = limited.fault
        connection = Connection(node.url)
        connection.logs([ADDRESS], 1, 5000)
        small = connection.log_range.size
        assert small <= 100
        node.fault = None
        while connection.log_range.size < 5000:
            before = node.requests
            connection.logs([ADDRESS], 1, 20 * connection.log_range.size)
            assert node.requests - before <= 20
        before = node.requests
        connection.logs([ADDRESS], 1, 5000)
        assert node.requests == before + 1


def test_a_range_of_blocks_that_takes_the_node_too_long_is_split() -> None:
    limited = Limited(50, SLOW["never"])
    for batched in (False, True):
        with FaultyNode(answers=limited.answer) as node:
            node.fault = limited.fault
            connection = Connection(node.url, timeout=2)
            query = {"address": [ADDRESS], "fromBlock": "0x1", "toBlock": hex(400), "topics": []}
            if batched:
                _, logs = connection.ask_many([("eth_chainId", []), ("eth_getLogs", [query])])
            else:
                logs = connection.logs([ADDRESS], 1, 400)
            assert numbers(logs) == list(range(1, 401))


@pytest.mark.parametrize("fault", [SLOW["never"], refusal("missing trie node"), refusal("no", -32601)])
def test_an_error_is_raised_after_few_calls_if_a_node_never_returns_the_logs(fault: Callable[[Turn], None]) -> None:
    with FaultyNode(answers=HEALTHY) as node:
        node.fault = only(fault, "eth_getLogs")
        connection = Connection(node.url, timeout=1)
        assert refused(lambda: connection.logs([ADDRESS], 1, 5000)).code in {"CHAIN_UNREACHABLE", "NODE_REFUSED"}
        # One request is for the whole range, and one follows each time that the range is halved.
        assert node.requests <= 14
        assert connection.log_range.size == 5000
