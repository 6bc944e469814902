"""Tests the sender with all kinds of nodes: how they set fees, how they refuse, and answers that get lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import pytest

from ledger.chain.contracts.revert import RevertReader
from ledger.chain.rpc.connection import Connection, RpcFault
from ledger.chain.sending import calls
from ledger.chain.sending.fees import Refusal as Kind
from ledger.chain.sending.fees import refusal_of
from ledger.chain.sending.sender import Sender
from ledger.errors import ChainUnavailable, PingzhengError, StorageFull
from tests.chain.sending.transaction_pool import Pool
from tests.support.chain.deployed import Chain
from tests.support.chain.faulty_node import FaultyNode, Refusal
from tests.support.chain.node_faults import SLOW, only, refusal

KEY: Final = b"\1" * 32
TO: Final = "0x" + "ab" * 20
DATA: Final = b"act"
CASES: Final = json.loads((Path(__file__).parent / "cases" / "refusals.json").read_text("utf-8"))
KINDS: Final = {
    "fee": Kind.FEE,
    "taken": Kind.NONCE_TAKEN,
    "used": Kind.NONCE_USED,
    "ahead": Kind.NONCE_AHEAD,
    "known": Kind.KNOWN,
    "chain": Kind.CHAIN,
    "other": Kind.OTHER,
}
COMMON: Final = ["eth_estimateGas", "eth_getBlockByNumber", "eth_sendRawTransaction", "eth_getTransactionReceipt"]


@pytest.fixture
def pool() -> Pool:
    return Pool(KEY)


@pytest.fixture
def engine(pool: Pool) -> Iterator[FaultyNode]:
    with FaultyNode(answers=pool.answer) as made:
        yield made


def sender_at(engine: FaultyNode, *, stuck_after: float = 0.2, receipt_timeout: float = 10, **given: Any) -> Sender:
    return Sender(
        Connection(engine.url, **given),
        KEY,
        chain_id=1337,
        reverts=RevertReader([]),
        stuck_after=stuck_after,
        receipt_timeout=receipt_timeout,
    )


def refused(sender: Sender) -> PingzhengError:
    with pytest.raises(PingzhengError) as caught:
        sender.send(TO, DATA)
    assert caught.value.hint
    return caught.value


def in_background(sender: Sender, **given: Any) -> tuple[ThreadPoolExecutor, Any]:
    thread = ThreadPoolExecutor(1)
    return thread, thread.submit(sender.send, TO, DATA, **given)


def test_the_offered_fee_contains_the_tip_that_the_node_asks_for(engine: FaultyNode, pool: Pool) -> None:
    pool.min_tip = pool.asked_tip = 30
    sender_at(engine).send(TO, DATA)
    (sent,) = pool.mined
    assert (sent.nonce, sent.tip, sent.cap, sent.effect) == (5, 30, 2 * 7 + 30, (TO, DATA.hex(), 0, 39_150))
    assert pool.came == [sent]


def test_the_tip_is_read_from_the_node_at_most_once_a_minute(engine: FaultyNode) -> None:
    sender = sender_at(engine)
    sender.send(TO, DATA)
    first, *others = COMMON
    # For the first transaction, the sender also asks the node for the tip (the fee above the base fee).
    assert engine.calls == [first, others[0], "eth_maxPriorityFeePerGas", "eth_getTransactionCount", *others[1:]]
    assert engine.requests == len(engine.calls)
    engine.calls.clear()
    for _ in range(3):
        sender.send(TO, DATA)
    assert engine.calls == COMMON * 3


def test_the_tip_is_gas_price_minus_base_fee_if_the_node_proposes_no_tip(engine: FaultyNode, pool: Pool) -> None:
    pool.asked_tip, pool.min_tip = None, 50
    sender_at(engine).send(TO, DATA)
    assert [(sent.tip, sent.cap) for sent in pool.came] == [(10**9 - 7, 10**9 + 7)]


def test_the_gas_price_is_offered_as_the_fee_on_a_chain_without_a_base_fee(engine: FaultyNode, pool: Pool) -> None:
    pool.base_fee, pool.min_tip = None, 0
    sender_at(engine).send(TO, DATA)
    assert [(sent.tip, sent.cap) for sent in pool.mined] == [(10**9, 10**9)]
    assert engine.count("eth_maxPriorityFeePerGas") == 0


def test_the_first_offered_fee_is_zero_on_a_chain_with_free_gas(engine: FaultyNode, pool: Pool) -> None:
    pool.base_fee, pool.min_tip = 0, 0
    sender = sender_at(engine)
    sender.send(TO, DATA)
    pool.min_tip = pool.gas_price = 1000
    sender.send(TO, DATA)
    sender.send(TO, DATA)
    assert [(sent.nonce, sent.tip, sent.cap) for sent in pool.came] == [
        (5, 0, 0),
        (6, 0, 0),
        (6, 1000, 1000),
        (7, 1000, 1000),
    ]


@pytest.mark.parametrize("case", CASES, ids=[case["engine"] for case in CASES])
def test_the_refusals_of_each_node_are_classified(case: dict[str, Any]) -> None:
    assert refusal_of(RpcFault("eth_sendRawTransaction", case)) is KINDS[case["kind"]]


OUTCOMES: Final = {
    "fee": ("FEE_TOO_LOW", 4),
    "taken": ("NONCE_CONTENDED", 4),
    "used": ("NONCE_CONTENDED", 4),
    "ahead": ("NONCE_CONTENDED", 4),
    "chain": ("CHAIN_ID_CHANGED", 1),
    "other": ("NODE_REFUSED", 1),
}


@pytest.mark.parametrize("case", [case for case in CASES if case["kind"] != "known"], ids=lambda case: case["engine"])
def test_a_transaction_that_the_node_keeps_refusing_is_reported_after_few_tries(
    engine: FaultyNode, pool: Pool, case: dict[str, Any]
) -> None:
    pool.refusing = Refusal(case["message"], case["code"])
    error = refused(sender_at(engine))
    code, tries = OUTCOMES[case["kind"]]
    assert isinstance(error, ChainUnavailable)
    assert (error.code, len(pool.came)) == (code, tries)
    if case["kind"] == "fee":
        offers = [sent.tip for sent in pool.came]
        assert offers == sorted(set(offers)) and len({sent.nonce for sent in pool.came}) == 1
        assert error.details["reason"] == case["message"][:200]
    pool.refusing = None
    sender_at(engine).send(TO, DATA)


@pytest.mark.parametrize("case", [case for case in CASES if case["kind"] == "known"], ids=lambda case: case["engine"])
def test_a_transaction_that_the_node_already_has_counts_as_sent(
    engine: FaultyNode, pool: Pool, case: dict[str, Any]
) -> None:
    """The node received the first request, but its answer was lost. The node refuses the second request."""

    def lost(turn: Any) -> None:
        engine.fault = only(refusal(case["message"], case["code"]), "eth_sendRawTransaction")
        turn.close()

    engine.fault = only(lost, "eth_sendRawTransaction")
    assert sender_at(engine).send(TO, DATA)["status"] == "0x1"
    assert len({sent.hash for sent in pool.came}) == 1 < len(pool.came)


def test_a_transaction_with_a_raised_fee_is_accepted(engine: FaultyNode, pool: Pool) -> None:
    """The node proposes a lower fee than it accepts, and its refusal names the fee that it needs."""
    pool.min_tip, pool.gas_price = 5_000, 0
    hashes: list[str] = []
    receipt = sender_at(engine).send(TO, DATA, announce=hashes.append)
    assert [(sent.nonce, sent.tip) for sent in pool.came] == [(5, 1), (5, 5_000)]
    assert hashes == [sent.hash for sent in pool.came]
    assert receipt["transactionHash"] == "0x" + hashes[-1]


@pytest.mark.parametrize("asked", ["asked_tip", "base_fee", "gas_price"])
def test_an_absurd_gas_price_is_not_paid(engine: FaultyNode, pool: Pool, asked: str) -> None:
    if asked == "gas_price":
        pool.base_fee = None
    setattr(pool, asked, 10**15)
    assert refused(sender_at(engine)).code == "NODE_ANSWER_INVALID"
    assert not pool.came


def test_an_unanswered_send_does_not_block_other_threads_for_long(engine: FaultyNode, pool: Pool) -> None:
    sender = sender_at(engine, send_timeout=1)
    sender.send(TO, DATA)
    engine.fault = only(SLOW["never"], "eth_sendRawTransaction")
    engine.calls.clear()
    with ThreadPoolExecutor(12) as threads:
        errors = list(threads.map(lambda _: refused(sender), range(12)))
    assert {(error.code, error.details["reason"]) for error in errors} == {("CHAIN_UNREACHABLE", "timeout")}
    # At most two threads sent their transaction and waited for the time-out. The others failed at once.
    assert engine.count("eth_sendRawTransaction") <= 2
    engine.fault = None
    sender.send(TO, DATA)


def test_a_full_disk_of_the_local_chain_is_reported_when_sending(engine: FaultyNode, pool: Pool) -> None:
    pool.refusing = Refusal("the journal cannot be written", -32010, {"errno": "ENOSPC"})
    sender = sender_at(engine)
    error = refused(sender)
    assert isinstance(error, StorageFull) and error.code == "DISK_FULL"
    pool.refusing = None
    sender.send(TO, DATA)
    assert [each.nonce for each in pool.mined] == [5]


def test_a_real_node_accepts_the_tip_that_it_asks_for(chain: Chain) -> None:
    connection = chain.client.connection
    asked = connection.tip()
    receipt = chain.client.send(calls.anchor(0, 1, b"\1" * 32))
    sent = connection.transaction(receipt.tx_hash)
    assert sent is not None and asked is not None
    assert int(sent["maxPriorityFeePerGas"], 16) == asked > 0
