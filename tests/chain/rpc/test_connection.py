"""What a node may answer, and what we make of it: a value of the right form, or an error of our own, within bounds."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final

import pytest

from ledger.chain.rpc.connection import Connection, RpcFault
from ledger.errors import ChainUnavailable, Misconfigured, StorageFull
from tests.support.chain.faulty_node import BATCHES, BODIES, HTTP, RESULTS, SLOW, WIRE, FaultyNode, Turn, refusal

ADDRESS: Final = "0x" + "ab" * 20
HASH: Final = "ee" * 32
MAX_BYTES: Final = 1 << 20
BLOCK: Final = {
    "number": "0x5",
    "hash": "0x" + "11" * 32,
    "parentHash": "0x" + "22" * 32,
    "timestamp": "0x65",
    "baseFeePerGas": "0x7",
    "gasLimit": "0x1c9c380",
    # A header of proof of authority, longer than the 32 bytes that some libraries insist on.
    "extraData": "0x" + "ab" * 97,
}
LOG: Final[dict[str, Any]] = {
    "address": ADDRESS,
    "topics": ["0x" + "33" * 32],
    "data": "0x",
    "blockNumber": "0x5",
    "blockHash": BLOCK["hash"],
    "transactionHash": "0x" + HASH,
    "logIndex": "0x0",
    "removed": False,
}
RECEIPT: Final = {
    "transactionHash": "0x" + HASH,
    "blockNumber": "0x5",
    "blockHash": BLOCK["hash"],
    "status": "0x1",
    "gasUsed": "0x5208",
    "contractAddress": None,
    "logs": [LOG],
}
TRANSACTION: Final = {
    "hash": "0x" + HASH,
    "from": ADDRESS,
    "to": None,
    "nonce": "0x3",
    "input": "0x60",
    "blockNumber": None,
}
HEALTHY: Final[dict[str, Any]] = {
    "eth_chainId": "0x539",
    "eth_blockNumber": "0x7",
    "eth_getBlockByNumber": BLOCK,
    "eth_getCode": "0x60",
    "eth_call": "0x01",
    "eth_getTransactionCount": "0x3",
    "eth_getBalance": hex(10**27),
    "eth_gasPrice": "0x3b9aca07",
    "eth_maxPriorityFeePerGas": "0x1",
    "eth_estimateGas": "0x5208",
    "eth_sendRawTransaction": "0x" + HASH,
    "eth_getTransactionReceipt": RECEIPT,
    "eth_getTransactionByHash": TRANSACTION,
    "eth_getLogs": [LOG],
}
Read = Callable[[Connection], Any]
READERS: Final[dict[str, Read]] = {
    "chain_id": lambda node: node.chain_id(),
    "block_number": lambda node: node.block_number(),
    "block latest": lambda node: node.block(),
    "block": lambda node: node.block(5),
    "blocks": lambda node: node.blocks([5, 5]),
    "code": lambda node: node.code(ADDRESS),
    "call": lambda node: node.call(ADDRESS, b""),
    "call_many": lambda node: node.call_many([(ADDRESS, b"")]),
    "transaction_count": lambda node: node.transaction_count(ADDRESS),
    "balance": lambda node: node.balance(ADDRESS),
    "gas_price": lambda node: node.gas_price(),
    "tip": lambda node: node.tip(),
    "estimate_gas": lambda node: node.estimate_gas(ADDRESS, b"", sender=ADDRESS),
    "send_raw": lambda node: node.send_raw(b"raw"),
    "receipt": lambda node: node.receipt(HASH),
    "transaction": lambda node: node.transaction(HASH),
    "logs": lambda node: node.logs([ADDRESS], 5, 5),
}
NUMBERS: Final = {"chain_id", "block_number", "transaction_count", "balance", "gas_price", "tip", "estimate_gas"}
OCTETS: Final = {"code", "call"}
MAY_BE_MISSING: Final = {"block latest", "block", "receipt", "transaction"}


def right(reader: str, fault: str) -> Any:
    """What the reader gives for a result that happens to be right for it; ``...`` where none is."""
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


@pytest.fixture
def node() -> Iterator[FaultyNode]:
    with FaultyNode(answers=HEALTHY) as made:
        yield made


@pytest.fixture
def connection(node: FaultyNode) -> Connection:
    return Connection(node.url, timeout=10, max_bytes=MAX_BYTES)


def refused(ask: Callable[[], Any], node: FaultyNode | None = None) -> ChainUnavailable:
    """The error, which says what is wrong, where, and what to do."""
    with pytest.raises(ChainUnavailable) as caught:
        ask()
    assert caught.value.message and caught.value.hint
    assert node is None or caught.value.where == node.url
    assert json.dumps(caught.value.details)
    return caught.value


def test_a_call_is_json_rpc(node: FaultyNode, connection: Connection) -> None:
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
def test_a_result_of_the_wrong_form_is_never_taken_for_one(
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
def test_a_record_of_the_wrong_shape_is_never_taken_for_one(shape: str) -> None:
    reader, method, value = SHAPES[shape]
    with FaultyNode(answers={**HEALTHY, method: value}) as node:
        error = refused(lambda: READERS[reader](Connection(node.url)), node)
    assert (error.code, error.details["call"]) == ("NODE_ANSWER_INVALID", method)


def test_logs_of_other_topics_than_those_asked_for_are_not_taken(node: FaultyNode, connection: Connection) -> None:
    asked = "0x" + "33" * 32
    assert connection.logs([ADDRESS], 5, 5, [asked]) == connection.logs(["0x" + "AB" * 20], 1, 9) == [LOG]
    for topics in (["0x" + "44" * 32], [asked, None], [None, asked]):
        error = refused(partial(connection.logs, [ADDRESS], 5, 5, topics))
        assert error.code == "NODE_ANSWER_INVALID"


def test_what_has_no_block_yet_has_no_receipt() -> None:
    with FaultyNode(answers={**HEALTHY, "eth_getTransactionReceipt": {**RECEIPT, "blockNumber": None}}) as node:
        assert Connection(node.url).receipt(HASH) is None


@pytest.mark.parametrize("fault", BODIES)
@pytest.mark.parametrize("reader", READERS)
def test_a_body_that_is_no_answer_is_an_error(
    node: FaultyNode, connection: Connection, reader: str, fault: str
) -> None:
    node.fault = BODIES[fault]
    assert refused(lambda: READERS[reader](connection), node).code == "NODE_ANSWER_INVALID"
    node.fault = None
    assert connection.chain_id() == 1337


@pytest.mark.parametrize("fault", BATCHES)
def test_a_batch_has_one_answer_to_each_call(node: FaultyNode, connection: Connection, fault: str) -> None:
    node.fault = BATCHES[fault]
    error = refused(lambda: connection.ask_many([("eth_chainId", []), ("eth_blockNumber", [])]), node)
    assert error.code == "NODE_ANSWER_INVALID"


def test_a_batch_comes_back_in_the_order_asked() -> None:
    with FaultyNode(answers=lambda call: call["params"][0]) as node:
        node.fault = lambda turn: turn.give(list(reversed(turn.healthy)))
        wanted = [("echo", [str(number)]) for number in range(250)]
        assert Connection(node.url).ask_many(wanted) == [str(number) for number in range(250)]
        assert node.requests == 3


@pytest.mark.parametrize("fault", ["batches are not supported", "batch too large"])
def test_a_node_that_takes_no_batches_is_asked_call_by_call(fault: str) -> None:
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
        # The second time it is known that each call goes alone.
        assert (asked, node.requests - asked) == (8 + 9, 9)


def test_a_batch_too_large_for_the_node_is_halved_and_the_size_is_found(node: FaultyNode) -> None:
    def small(turn: Turn) -> None:
        many = isinstance(turn.asked, list) and len(turn.asked) > 20
        turn.give(b"", 413) if many else turn.give(turn.healthy)

    node.fault = small
    connection = Connection(node.url)
    for _ in range(2):
        assert connection.ask_many([("eth_chainId", [])] * 100) == ["0x539"] * 100
    # 100 → 50, 50 → 25 … → 13, 12: seven are refused; then eight of 13 at once.
    assert node.requests == 7 + 8 + 8


def test_one_refused_call_of_a_batch_refuses_it_with_the_nodes_reason(node: FaultyNode, connection: Connection) -> None:
    error = refused(lambda: connection.ask_many([("eth_chainId", []), ("no_such", [])]), node)
    assert error.code == "NODE_REFUSED" and "no_such" in error.details["reason"]
    assert node.requests == 1


@pytest.mark.parametrize(
    "error", [{"message": "no"}, "plain text", 7, {"code": 3, "message": 5, "data": [1]}, [], True]
)
def test_an_error_of_json_rpc_is_a_fault(node: FaultyNode, connection: Connection, error: Any) -> None:
    node.fault = lambda turn: turn.give({"jsonrpc": "2.0", "id": None, "error": error})
    with pytest.raises(RpcFault):
        connection.request("eth_blockNumber")
    assert refused(connection.block_number, node).code == "NODE_REFUSED"


def test_a_result_beside_an_empty_error_is_a_result(node: FaultyNode, connection: Connection) -> None:
    node.fault = lambda turn: turn.give({**turn.healthy, "error": None})
    assert connection.chain_id() == 1337


def test_an_error_under_a_status_of_http_is_read(node: FaultyNode, connection: Connection) -> None:
    node.fault = lambda turn: turn.give({"id": 1, "error": {"code": -32000, "message": "header not found"}}, 400)
    assert refused(connection.chain_id, node).details["reason"] == "header not found"


def test_the_words_of_a_node_are_one_short_line(node: FaultyNode, connection: Connection) -> None:
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
def test_a_status_of_http_has_its_code(node: FaultyNode, connection: Connection, fault: str, batched: bool) -> None:
    node.fault = HTTP[fault]
    ask = (lambda: connection.ask_many([("eth_chainId", [])] * 2)) if batched else connection.chain_id
    error = refused(ask, node)
    assert (error.code, error.details.get("retry_after")) == STATUSES[fault]
    assert node.requests == 1


@pytest.mark.parametrize("words", ["Too Many Requests", "daily request count exceeded, request rate limited"])
def test_a_limit_on_calls_in_the_words_of_json_rpc_is_not_met_with_more_calls(
    node: FaultyNode, connection: Connection, words: str
) -> None:
    node.fault = lambda turn: turn.give({"id": None, "error": {"code": -32005, "message": words}})
    error = refused(lambda: connection.ask_many([("eth_chainId", [])] * 64), node)
    assert (error.code, node.requests) == ("NODE_RATE_LIMITED", 1)


@pytest.mark.parametrize("fault", WIRE)
@pytest.mark.parametrize("batched", [False, True])
def test_what_goes_wrong_below_http_is_an_error_within_bounds(
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
def test_an_endless_answer_takes_no_more_memory_than_its_bound(
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


def test_an_answer_that_was_packed_unasked_is_read_within_the_bound(node: FaultyNode, connection: Connection) -> None:
    def packed(turn: Turn) -> None:
        turn.give(gzip.compress(json.dumps(turn.healthy).encode()), headers={"Content-Encoding": "gzip"})

    node.fault = packed
    assert connection.chain_id() == 1337


@pytest.mark.parametrize("fault", SLOW)
@pytest.mark.parametrize("reader", ["chain_id", "blocks", "logs"])
def test_a_node_that_takes_too_long_is_given_up(node: FaultyNode, fault: str, reader: str) -> None:
    """Each byte comes soon enough; all of them do not."""
    node.fault = SLOW[fault]
    error = refused(lambda: READERS[reader](Connection(node.url, timeout=0.5)), node)
    assert (error.code, error.details["reason"]) == ("CHAIN_UNREACHABLE", "timeout")


def test_reads_wait_ten_seconds_and_hand_overs_three_times_as_long() -> None:
    for given, expected in ({}, (10, 30)), ({"timeout": 1}, (1, 3)), ({"timeout": 1, "send_timeout": 2}, (1, 2)):
        connection = Connection("http://127.0.0.1:9", **given)
        assert (connection.timeout, connection.send_timeout) == expected


def test_a_kept_connection_that_the_node_closed_is_opened_again(node: FaultyNode, connection: Connection) -> None:
    """Unseen until the request is sent: a call that only reads is sent once more, and one that acts is not."""
    closing = WIRE["closes at once"]
    assert connection.chain_id() == 1337
    left = iter([closing])
    node.fault = lambda turn: next(left, lambda each: each.give(each.healthy))(turn)
    assert connection.chain_id() == 1337
    assert node.count("eth_chainId") == 3
    left = iter([closing])
    assert refused(lambda: connection.ask("evm_mine"), node).details["reason"] == "lost"
    assert node.count("evm_mine") == 1


SECRETS: Final = ("operator", "s3cret", "4f9d1c", "apikey", "k3y")


def secret_url(node: FaultyNode) -> str:
    return node.url.replace("http://", "http://operator:s3cret@") + "/v3/4f9d1c?apikey=k3y&token=1"


def test_user_path_and_query_of_the_address_are_used(node: FaultyNode) -> None:
    asked: list[Any] = []
    node.fault = lambda turn: asked.append((turn.handler.path, turn.handler.headers)) or turn.give(turn.healthy)
    assert Connection(secret_url(node)).chain_id() == 1337
    ((path, headers),) = asked
    assert (path, headers["Authorization"]) == ("/v3/4f9d1c?apikey=k3y&token=1", "Basic b3BlcmF0b3I6czNjcmV0")


@pytest.mark.parametrize("fault", [*HTTP, "not there"])
def test_an_error_shows_no_secret_of_the_address(node: FaultyNode, fault: str) -> None:
    connection = Connection(secret_url(node))
    assert connection.where == f"{node.url}/…"
    node.fault = HTTP.get(fault)
    if fault == "not there":
        connection = Connection("http://operator:s3cret@127.0.0.1:1/v3/4f9d1c?apikey=k3y")
    error: BaseException | None = refused(connection.chain_id)
    while error is not None:
        assert not any(each in f"{error!s} {error.__dict__}" for each in SECRETS)
        error = error.__cause__


@pytest.mark.parametrize(
    "url",
    ["", "node", "ftp://node", "http://", "http://[::1", "http://node:99999", "http://no de", "http://é", "file:///x"],
)
def test_an_address_that_is_none_is_said_to_be_so(url: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        Connection(url).chain_id()
    assert (caught.value.code, caught.value.where) == ("RPC_URL_INVALID", "rpc_url")


def test_a_name_without_address_and_a_port_without_node_are_no_node() -> None:
    for url, reason in ("http://127.0.0.1:1", "refused"), ("http://node.invalid", "unreachable"):
        error = refused(Connection(url).chain_id)
        assert (error.code, error.details["reason"], error.where) == ("CHAIN_UNREACHABLE", reason, url)
    with FaultyNode() as plain:
        error = refused(Connection(plain.url.replace("http", "https")).chain_id)
        assert error.details["reason"] == "tls"


def test_a_full_disk_of_the_local_chain_is_said_to_be_so(node: FaultyNode, connection: Connection) -> None:
    node.fault = refusal("the journal cannot be written", -32010, {"errno": "ENOSPC"})
    for ask in (READERS["send_raw"], READERS["chain_id"], READERS["call_many"]):
        with pytest.raises(StorageFull) as caught:
            ask(connection)
        assert (caught.value.code, caught.value.where) == ("DISK_FULL", node.url)


def test_the_same_number_of_another_engine_is_not_a_full_disk(node: FaultyNode, connection: Connection) -> None:
    node.fault = refusal("Transaction gas price is too low.", -32010)
    with pytest.raises(RpcFault):
        connection.send_raw(b"raw")


def test_no_thread_goes_through_a_proxy_of_the_environment(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "")
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: connection.block_number(), range(8))) == [7] * 8


def test_deep_json_does_not_end_a_process_that_may_recurse_deep(node: FaultyNode, connection: Connection) -> None:
    """Libraries that sign raise the limit on recursion; the parser would then overrun the stack."""
    limit = sys.getrecursionlimit()
    node.fault = BODIES["JSON that is too deep"]
    sys.setrecursionlimit(100_000)
    try:
        assert refused(connection.chain_id, node).code == "NODE_ANSWER_INVALID"
    finally:
        sys.setrecursionlimit(limit)


LOADS: Final = """
import sys
from ledger.chain.rpc.connection import Connection
from ledger.chain.sending.relay import ForwardRequest, sign_request
from ledger.chain.contracts.revert import RevertReader
from ledger.chain.sending.nonces import Wanted
from ledger.chain.sending.fees import Fees
from ledger.chain.sending.sender import Sender
from ledger.errors import ChainUnavailable

limit = sys.getrecursionlimit()
node = Connection("http://127.0.0.1:1")
try:
    node.chain_id()
except ChainUnavailable:
    print("asked", sys.getrecursionlimit() == limit)
Sender(node, bytes([1] * 32), chain_id=1, reverts=RevertReader([]))._signed(Wanted(None, b"", 21_000), 0, Fees(1, 1))
print("signed", sys.getrecursionlimit() == limit, "py_ecc" in sys.modules)
"""


def test_loading_the_libraries_of_the_chain_leaves_the_limit_on_recursion() -> None:
    told = subprocess.run([sys.executable, "-c", LOADS], capture_output=True, text=True, check=True, timeout=60)
    assert told.stdout.split("\n")[:2] == ["asked True", "signed True True"]
