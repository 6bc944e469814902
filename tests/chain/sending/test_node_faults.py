"""Tests facts (chain data) and transactions with a faulty node. Facts are complete or refused. A transaction is
reported as sent only if it is known to be sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from ledger.chain.contracts.deployment import Deployment
from ledger.chain.local.node import LocalNode
from ledger.chain.reading.facts import collect_facts
from ledger.chain.reading.reader import ChainReader
from ledger.chain.rpc.connection import Connection
from ledger.chain.sending import calls
from ledger.chain.sending.client import ChainClient
from ledger.chain.sending.relay import Relay
from ledger.errors import ChainUnavailable, PingzhengError
from ledger.proof.bundle import Bundle
from tests.chain.consented import FIRM, ISSUER, made
from tests.support.chain.deployed import PARTIES, Chain
from tests.support.chain.faulty_node import FaultyNode, Turn
from tests.support.chain.node_faults import BODIES, RESULTS, only, refusal, result
from tests.support.chain.outcome import outcome


@dataclass(frozen=True, slots=True)
class Faced:
    """A chain with a bundle, behind a node with faults."""

    chain: Chain
    node: FaultyNode
    bundle: Bundle

    @property
    def client(self) -> ChainClient:
        """Return a new client, which remembers nothing of earlier calls."""
        connection = Connection(self.node.url, timeout=30, max_bytes=1 << 20)
        return ChainClient(connection, self.chain.deployment, ISSUER.key)


@pytest.fixture(scope="module")
def behind(node: LocalNode, deployment: Deployment) -> Iterator[Faced]:
    token = node.snapshot()
    client = ChainClient(Connection(node.url), deployment, ISSUER.key)
    chain = Chain(node, deployment, client, ChainReader(client), dict(PARTIES))
    bundle = made(chain).bundle
    with FaultyNode(upstream=node.url) as faulty:
        yield Faced(chain, faulty, bundle)
    node.revert(token)


@pytest.fixture
def faced(behind: Faced) -> Iterator[Faced]:
    behind.node.fault = None
    token = behind.chain.node.snapshot()
    yield behind
    behind.chain.node.revert(token)


@pytest.mark.parametrize("fault", [*RESULTS, *BODIES])
def test_facts_from_a_faulty_node_are_complete_or_refused(faced: Faced, fault: str) -> None:
    true = collect_facts(ChainReader(faced.client), faced.bundle)
    for method in ("eth_getBlockByNumber", "eth_call", "eth_getLogs"):
        faced.node.fault = only({**RESULTS, **BODIES}[fault], method)
        found = outcome(lambda: collect_facts(ChainReader(faced.client), faced.bundle))
        # The facts may also be right: an empty list of logs is the true answer for a leaf without any status change.
        assert isinstance(found, ChainUnavailable) or (found == true and (fault, method) == ("a list", "eth_getLogs"))


@pytest.mark.parametrize("fault", RESULTS)
def test_sending_to_a_faulty_node_gives_a_pingzheng_error(faced: Faced, fault: str) -> None:
    before = faced.chain.reader.batch_count(ISSUER.no)
    for method in ("eth_estimateGas", "eth_getBlockByNumber", "eth_getTransactionCount", "eth_maxPriorityFeePerGas"):
        if fault == "hex of odd length" and method != "eth_getBlockByNumber":
            # This method returns a number, which may have an odd number of hex digits. So the answer is not faulty.
            continue
        faced.node.fault = only(RESULTS[fault], method)
        found = outcome(lambda: faced.client.send(calls.anchor(300, 1, b"\1" * 32)))
        assert isinstance(found, ChainUnavailable) and found.code == "NODE_ANSWER_INVALID", (method, found)
    assert faced.chain.reader.batch_count(ISSUER.no) == before


@pytest.mark.parametrize("fault", ["null", "a list", "no hex", "an object"])
def test_a_transaction_with_a_malformed_receipt_is_unconfirmed(faced: Faced, fault: str) -> None:
    """The transaction was sent, but nothing is known about its result."""
    client = faced.client
    client._required_sender().receipt_timeout = 0.2
    faced.node.fault = only(RESULTS[fault], "eth_getTransactionReceipt")
    found = outcome(lambda: client.send(calls.anchor(300, 1, b"\1" * 32)))
    assert isinstance(found, ChainUnavailable) and found.code == "TRANSACTION_UNCONFIRMED"
    assert len(found.details["tx_hash"]) == 64


def test_a_false_transaction_hash_from_the_node_is_ignored(faced: Faced) -> None:
    """The sender computes the hash of its transaction itself, and waits for the receipt with this hash."""
    faced.node.fault = only(_run_and_rename, "eth_sendRawTransaction")
    receipt = faced.client.send(calls.anchor(300, 1, b"\1" * 32))
    assert receipt.named("Anchored")[0].args["firstSeq"] == 300


def _run_and_rename(turn: Turn) -> None:
    turn.each(lambda call, answer: {**answer, "result": "0x" + "ab" * 32})


@pytest.mark.parametrize("fault", [result(None), result("0x"), refusal("execution reverted", 3, "0xdeadbeef")])
def test_relaying_through_a_faulty_node_gives_a_pingzheng_error(faced: Faced, fault: Any) -> None:
    faced.node.fault = only(fault, "eth_call", "eth_estimateGas")
    relay = Relay(faced.client)
    found = outcome(lambda: relay.prepare(FIRM.account, calls.withdraw("ab" * 32), 2**40))
    assert isinstance(found, PingzhengError)


def test_a_hidden_or_changed_anchor_is_noticed(faced: Faced) -> None:
    """A node without old events must not make an anchored batch look as if it was never anchored."""
    true = faced.chain.reader.anchored(ISSUER.no, 0)
    assert true is not None and true.size == 300
    reader = ChainReader(faced.client)

    def later(call: dict[str, Any], answer: Any) -> Any:
        if call["method"] != "eth_getLogs":
            return answer
        logs = [
            {**log, "data": log["data"][:-1] + ("1" if log["data"][-1] != "1" else "2")} for log in answer["result"]
        ]
        return {**answer, "result": logs}

    def hidden(call: dict[str, Any], answer: Any) -> Any:
        return {**answer, "result": []} if call["method"] == "eth_getLogs" else answer

    for change in (hidden, later):
        faced.node.fault = partial(_each, change)
        found = outcome(lambda: reader.anchored(ISSUER.no, 0))
        assert isinstance(found, ChainUnavailable) and found.code == "NODE_ANSWER_INVALID"
    faced.node.fault = None
    assert reader.anchored(ISSUER.no, 0) == true
    assert reader.anchored(ISSUER.no, 1) is None


def _each(change: Callable[[dict[str, Any], Any], Any], turn: Turn) -> None:
    turn.each(change)
