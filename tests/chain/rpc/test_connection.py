"""Tests that every method of a connection refuses a result of the wrong form, and a body that is no JSON-RPC answer."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

import pytest

from ledger.chain.rpc.connection import Connection
from tests.chain.rpc.healthy_node import ADDRESS, BLOCK, HASH, HEALTHY, LOG, READERS, RECEIPT, TRANSACTION, refused
from tests.support.chain.faulty_node import FaultyNode
from tests.support.chain.node_faults import BODIES, RESULTS

NUMBERS: Final = {"chain_id", "block_number", "transaction_count", "balance", "gas_price", "tip", "estimate_gas"}
OCTETS: Final = {"code", "call"}
MAY_BE_MISSING: Final = {"block latest", "block", "receipt", "transaction"}


def right(reader: str, fault: str) -> Any:
    """Return the result of method ``reader`` if the faulty answer is by chance valid for it; otherwise
    return ``...``.
    """
    if fault == "null" and reader in MAY_BE_MISSING:
        return None
    if fault == "null" and reader == "blocks":
        return [None, None]
    if fault == "a list" and reader == "logs":
        return []
    if fault == "hex of odd length" and reader in NUMBERS:
        return 0x123
    if reader in OCTETS | {"call_many"} and fault in {"empty hex", "hex too long", "hex far too long"}:
        found = {"empty hex": b"", "hex too long": b"\xff" * 33, "hex far too long": b"\xff" * 100_000}[fault]
        return [found] if reader == "call_many" else found
    return ...


def test_a_call_is_sent_as_json_rpc(node: FaultyNode, connection: Connection) -> None:
    asked: list[Any] = []
    node.fault = lambda turn: asked.append(turn.asked) or turn.give(turn.healthy)
    assert (connection.chain_id(), connection.block_number()) == (1337, 7)
    assert asked == [
        {"jsonrpc": "2.0", "id": 0, "method": "eth_chainId", "params": []},
        {"jsonrpc": "2.0", "id": 1, "method": "eth_blockNumber", "params": []},
    ]


def test_every_reader_reads_a_healthy_node_in_one_request(node: FaultyNode, connection: Connection) -> None:
    found = {name: read(connection) for name, read in READERS.items()}
    assert node.requests == len(READERS)
    block = found["block"]
    assert (block.number, block.time, block.base_fee, block.hash) == (5, 0x65, 7, "11" * 32)
    assert found["blocks"] == [block, block]
    assert {name: found[name] for name in NUMBERS} == {
        "chain_id": 1337,
        "block_number": 7,
        "transaction_count": 3,
        "balance": 10**27,
        "gas_price": 0x3B9ACA07,
        "tip": 1,
        "estimate_gas": 0x5208,
    }
    assert (found["code"], found["call"], found["call_many"], found["send_raw"]) == (b"\x60", b"\x01", [b"\x01"], HASH)
    assert (found["receipt"], found["transaction"], found["logs"]) == (RECEIPT, TRANSACTION, [LOG])


@pytest.mark.parametrize("fault", RESULTS)
@pytest.mark.parametrize("reader", READERS)
def test_a_result_of_the_wrong_form_is_refused(
    node: FaultyNode, connection: Connection, reader: str, fault: str
) -> None:
    node.fault = RESULTS[fault]
    expected = right(reader, fault)
    if expected is ...:
        assert refused(lambda: READERS[reader](connection), node).code == "NODE_ANSWER_INVALID"
    else:
        assert READERS[reader](connection) == expected


def without(value: dict[str, Any], name: str) -> dict[str, Any]:
    return {each: field for each, field in value.items() if each != name}


SHAPES: Final[dict[str, tuple[str, str, Any]]] = {
    **{
        f"block without {name}": ("block", "eth_getBlockByNumber", without(BLOCK, name))
        for name in ("number", "hash", "parentHash", "timestamp", "gasLimit")
    },
    "another block": ("block", "eth_getBlockByNumber", {**BLOCK, "number": "0x6"}),
    "another block in a batch": ("blocks", "eth_getBlockByNumber", {**BLOCK, "number": "0x6"}),
    "block with a short hash": ("block", "eth_getBlockByNumber", {**BLOCK, "hash": "0x11"}),
    "block with a long hash": ("block", "eth_getBlockByNumber", {**BLOCK, "hash": "0x" + "11" * 33}),
    "block after the year 9999": ("block", "eth_getBlockByNumber", {**BLOCK, "timestamp": hex(2**40)}),
    "block with a number for text": ("block", "eth_getBlockByNumber", {**BLOCK, "timestamp": 101}),
    "block beyond 63 bits": ("block latest", "eth_getBlockByNumber", {**BLOCK, "number": hex(2**63)}),
    **{
        f"receipt without {name}": ("receipt", "eth_getTransactionReceipt", without(RECEIPT, name))
        for name in ("transactionHash", "blockHash", "status", "gasUsed", "logs")
    },
    "receipt of another transaction": (
        "receipt",
        "eth_getTransactionReceipt",
        {**RECEIPT, "transactionHash": "0x" + "dd" * 32},
    ),
    "receipt with another status": ("receipt", "eth_getTransactionReceipt", {**RECEIPT, "status": "0x2"}),
    "receipt with a status of its own": ("receipt", "eth_getTransactionReceipt", {**RECEIPT, "status": 1}),
    "receipt with logs of another block": (
        "receipt",
        "eth_getTransactionReceipt",
        {**RECEIPT, "logs": [{**LOG, "blockNumber": "0x6"}]},
    ),
    "receipt with null for logs": ("receipt", "eth_getTransactionReceipt", {**RECEIPT, "logs": None}),
    "receipt with an odd address": ("receipt", "eth_getTransactionReceipt", {**RECEIPT, "contractAddress": "0x12"}),
    "another transaction": ("transaction", "eth_getTransactionByHash", {**TRANSACTION, "hash": "0x" + "dd" * 32}),
    "transaction without nonce": ("transaction", "eth_getTransactionByHash", without(TRANSACTION, "nonce")),
    "transaction from nobody": ("transaction", "eth_getTransactionByHash", {**TRANSACTION, "from": None}),
    "transaction with odd input": ("transaction", "eth_getTransactionByHash", {**TRANSACTION, "input": "0x6"}),
    **{
        f"log without {name}": ("logs", "eth_getLogs", [without(LOG, name)])
        for name in ("address", "topics", "data", "blockNumber", "blockHash", "transactionHash", "logIndex")
    },
    "log of another contract": ("logs", "eth_getLogs", [{**LOG, "address": "0x" + "cd" * 20}]),
    "log of another block": ("logs", "eth_getLogs", [{**LOG, "blockNumber": "0x6"}]),
    "log that was taken back": ("logs", "eth_getLogs", [{**LOG, "removed": True}]),
    "log twice": ("logs", "eth_getLogs", [LOG, LOG]),
    "log with five topics": ("logs", "eth_getLogs", [{**LOG, "topics": LOG["topics"] * 5}]),
    "log with a short topic": ("logs", "eth_getLogs", [{**LOG, "topics": ["0x33"]}]),
    "log with odd data": ("logs", "eth_getLogs", [{**LOG, "data": "0x1"}]),
    "an error of a batch": ("logs", "eth_getLogs", {"error": "no"}),
    "another hash than the transaction's form": ("send_raw", "eth_sendRawTransaction", HASH),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_record_of_the_wrong_shape_is_refused(shape: str) -> None:
    reader, method, value = SHAPES[shape]
    with FaultyNode(answers={**HEALTHY, method: value}) as node:
        error = refused(lambda: READERS[reader](Connection(node.url)), node)
    assert (error.code, error.details["call"]) == ("NODE_ANSWER_INVALID", method)


def test_logs_of_topics_that_were_not_asked_for_are_refused(node: FaultyNode, connection: Connection) -> None:
    asked = "0x" + "33" * 32
    assert connection.logs([ADDRESS], 5, 5, [asked]) == connection.logs(["0x" + "AB" * 20], 1, 9) == [LOG]
    for topics in (["0x" + "44" * 32], [asked, None], [None, asked]):
        error = refused(partial(connection.logs, [ADDRESS], 5, 5, topics))
        assert error.code == "NODE_ANSWER_INVALID"


def test_a_transaction_in_no_block_has_no_receipt() -> None:
    with FaultyNode(answers={**HEALTHY, "eth_getTransactionReceipt": {**RECEIPT, "blockNumber": None}}) as node:
        assert Connection(node.url).receipt(HASH) is None


@pytest.mark.parametrize("fault", BODIES)
@pytest.mark.parametrize("reader", READERS)
def test_a_body_that_is_not_an_answer_is_an_error(
    node: FaultyNode, connection: Connection, reader: str, fault: str
) -> None:
    node.fault = BODIES[fault]
    assert refused(lambda: READERS[reader](connection), node).code == "NODE_ANSWER_INVALID"
    node.fault = None
    assert connection.chain_id() == 1337
