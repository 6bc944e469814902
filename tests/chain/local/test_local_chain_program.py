"""Tests that the program of the local chain answers odd requests and keeps running. The product's own clients never
send such requests.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from ledger.chain.local.node import LocalNode
from ledger.chain.local.ports import HOST
from ledger.chain.rpc.connection import Connection
from tests.chain.local.journals import OWNER, blocks_of, journal_of, journaled

INVALID, UNPARSED, PARAMETERS = -32600, -32700, -32602
BLOCK_NUMBER = {"jsonrpc": "2.0", "id": 7, "method": "eth_blockNumber"}


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalNode]:
    with journaled(tmp_path_factory.mktemp("asked")) as running:
        yield running


@pytest.fixture(autouse=True)
def goes_on(node: LocalNode) -> Iterator[None]:
    """Check after each test that the same process answers, and that the chain and its journal are unchanged."""
    pid, blocks, journal = node.pid, blocks_of(node), journal_of(node.log_path.parent)
    written = journal.read_bytes()
    yield
    assert node.running
    assert (node.pid, blocks_of(node), journal.read_bytes()) == (pid, blocks, written)


def asked(node: LocalNode, body: str | bytes) -> Any:
    answer = requests.post(node.url, data=body, headers={"Content-Type": "application/json"}, timeout=30)
    assert answer.status_code == 200
    return answer.json()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("", UNPARSED),
        ("{", UNPARSED),
        (b"\xff\xfe\x00", UNPARSED),
        ("null", INVALID),
        ("5", INVALID),
        ('"eth_blockNumber"', INVALID),
        ("true", INVALID),
        ("[]", INVALID),
        ("{}", INVALID),
        ('{"id": 1, "method": 5}', INVALID),
        ('{"id": 1, "method": null, "params": []}', INVALID),
        ('{"id": 1, "method": "eth_blockNumber", "params": {"a": 1}}', PARAMETERS),
        ('{"id": 1, "method": "eth_blockNumber", "params": 5}', PARAMETERS),
        ("[" + ",".join(["5"] * 1001) + "]", INVALID),
    ],
)
def test_a_body_that_is_not_a_call_gets_an_error(node: LocalNode, body: str, code: int) -> None:
    answer = asked(node, body)
    assert (answer["jsonrpc"], answer["error"]["code"]) == ("2.0", code)


def test_each_call_of_a_batch_gets_its_own_answer(node: LocalNode) -> None:
    answers = asked(node, json.dumps([None, 5, [], BLOCK_NUMBER, {"id": "x", "method": []}]))
    assert [answer.get("error", {}).get("code") for answer in answers] == [INVALID, INVALID, INVALID, None, INVALID]
    assert [answer["id"] for answer in answers] == [None, None, None, 7, "x"]


@pytest.mark.parametrize("depth", [1_000, 100_000])
@pytest.mark.parametrize("method", ["eth_call", "eth_sendRawTransaction", "evm_mine", "hardhat_setBalance"])
def test_deeply_nested_parameters_are_refused(node: LocalNode, method: str, depth: int) -> None:
    body = f'{{"id": 1, "method": "{method}", "params": [{"[" * depth}{"]" * depth}]}}'
    assert "error" in asked(node, body)


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("evm_increaseTime", ["soon"]),
        ("evm_increaseTime", []),
        ("evm_increaseTime", [1.5]),
        ("evm_increaseTime", [1e300]),
        ("evm_increaseTime", [2**45]),
        ("pingzheng_setAhead", ["5"]),
        ("pingzheng_setAhead", [None]),
        ("hardhat_setBalance", [OWNER, "money"]),
        ("hardhat_setBalance", []),
        ("eth_sendRawTransaction", ["0x"]),
        ("eth_sendRawTransaction", [None]),
        ("evm_mine", ["never"]),
        ("eth_sendTransaction", [{"from": OWNER, "to": OWNER}]),
        ("anything_else", []),
    ],
)
def test_an_invalid_call_that_would_change_the_chain_is_refused(
    node: LocalNode, method: str, params: list[Any]
) -> None:
    assert "error" in asked(node, json.dumps({"id": 1, "method": method, "params": params}))


def test_a_too_large_body_is_refused(node: LocalNode) -> None:
    """The body is refused if the request gives the length, and also if the body comes in endless pieces without a
    length.
    """
    with socket.create_connection((HOST, int(node.url.rpartition(":")[2])), 30) as given:
        given.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n")
        assert b" 413 " in given.recv(4096)
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while sent < 64 << 20:
            sent += 1 << 20
            yield b" " * (1 << 20)

    try:
        status = requests.post(node.url, data=endless(), timeout=30).status_code
    except requests.ConnectionError:
        status = 413  # The node closed the connection while the body was still being sent.
    assert status == 413
    assert sent < 64 << 20


def test_a_broken_connection_does_not_stop_the_local_chain(node: LocalNode) -> None:
    for _ in range(20):
        with socket.create_connection((HOST, int(node.url.rpartition(":")[2])), 30) as broken:
            broken.sendall(b'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4096\r\n\r\n{"id": 1, ')
    assert Connection(node.url).chain_id() == 4409
