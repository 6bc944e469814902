"""Tests the errors that are raised if a node refuses a call with a JSON-RPC error or an HTTP status."""

from __future__ import annotations

from typing import Any, Final

import pytest

from ledger.chain.rpc.connection import Connection, RpcFault
from ledger.errors import StorageFull
from tests.chain.rpc.healthy_node import READERS, refused
from tests.support.chain.faulty_node import FaultyNode
from tests.support.chain.node_faults import HTTP, refusal


@pytest.mark.parametrize(
    "error", [{"message": "no"}, "plain text", 7, {"code": 3, "message": 5, "data": [1]}, [], True]
)
def test_a_json_rpc_error_of_the_node_is_raised_as_an_rpc_fault(
    node: FaultyNode, connection: Connection, error: Any
) -> None:
    node.fault = lambda turn: turn.give({"jsonrpc": "2.0", "id": None, "error": error})
    with pytest.raises(RpcFault):
        connection.request("eth_blockNumber")
    assert refused(connection.block_number, node).code == "NODE_REFUSED"


def test_a_result_with_an_empty_error_is_accepted(node: FaultyNode, connection: Connection) -> None:
    node.fault = lambda turn: turn.give({**turn.healthy, "error": None})
    assert connection.chain_id() == 1337


def test_a_json_rpc_error_with_an_http_error_status_is_read(node: FaultyNode, connection: Connection) -> None:
    node.fault = lambda turn: turn.give({"id": 1, "error": {"code": -32000, "message": "header not found"}}, 400)
    assert refused(connection.chain_id, node).details["reason"] == "header not found"


def test_an_error_message_of_a_node_is_cut_to_one_short_line(node: FaultyNode, connection: Connection) -> None:
    node.fault = refusal("first\nsecond\x1b[31m" + "x" * 10_000)
    reason = refused(connection.chain_id, node).details["reason"]
    assert len(reason) == 200 and reason.startswith("first second [31mxxx")


STATUSES: Final = {
    "redirect": ("NODE_ANSWER_INVALID", None),
    "401": ("NODE_ACCESS_DENIED", None),
    "403": ("NODE_ACCESS_DENIED", None),
    "404": ("CHAIN_UNREACHABLE", None),
    "429": ("NODE_RATE_LIMITED", 5),
    "429 with Retry-After": ("NODE_RATE_LIMITED", 17),
    "429 with a date": ("NODE_RATE_LIMITED", 5),
    "500": ("CHAIN_UNREACHABLE", None),
    "502": ("CHAIN_UNREACHABLE", None),
    "503 with Retry-After": ("CHAIN_UNREACHABLE", 3),
    "204": ("NODE_ANSWER_INVALID", None),
}


@pytest.mark.parametrize("fault", HTTP)
@pytest.mark.parametrize("batched", [False, True])
def test_each_http_status_gives_the_expected_error_code(
    node: FaultyNode, connection: Connection, fault: str, batched: bool
) -> None:
    node.fault = HTTP[fault]
    ask = (lambda: connection.ask_many([("eth_chainId", [])] * 2)) if batched else connection.chain_id
    error = refused(ask, node)
    assert (error.code, error.details.get("retry_after")) == STATUSES[fault]
    assert node.requests == 1


@pytest.mark.parametrize("words", ["Too Many Requests", "daily request count exceeded, request rate limited"])
def test_a_rate_limit_reported_by_json_rpc_causes_no_more_calls(
    node: FaultyNode, connection: Connection, words: str
) -> None:
    node.fault = lambda turn: turn.give({"id": None, "error": {"code": -32005, "message": words}})
    error = refused(lambda: connection.ask_many([("eth_chainId", [])] * 64), node)
    assert (error.code, node.requests) == ("NODE_RATE_LIMITED", 1)


def test_a_full_disk_of_the_local_chain_is_reported(node: FaultyNode, connection: Connection) -> None:
    node.fault = refusal("the journal cannot be written", -32010, {"errno": "ENOSPC"})
    for ask in (READERS["send_raw"], READERS["chain_id"], READERS["call_many"]):
        with pytest.raises(StorageFull) as caught:
            ask(connection)
        assert (caught.value.code, caught.value.where) == ("DISK_FULL", node.url)


def test_the_error_number_for_a_full_disk_is_recognised_only_from_a_local_chain(
    node: FaultyNode, connection: Connection
) -> None:
    node.fault = refusal("Transaction gas price is too low.", -32010)
    with pytest.raises(RpcFault):
        connection.send_raw(b"raw")
