"""Sending to nodes of all kinds: what they ask for fees, how they refuse, what they lose and what waits too long."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import pytest
from structlog.testing import capture_logs

from ledger.chain.client import ChainClient
from ledger.chain.connection import Connection, RpcFault
from ledger.chain.deployment import Deployment
from ledger.chain.fees import Refusal as Kind
from ledger.chain.fees import refusal_of
from ledger.chain.nonces import REPLACEMENTS
from ledger.chain.revert import RevertReader
from ledger.chain.sender import Sender
from ledger.errors import ChainUnavailable, Conflict, PingzhengError, StorageFull
from tests.chain.faulty_node import SLOW, FaultyNode, Refusal, only, refusal
from tests.chain.pool import Pool, Pooled
from tests.conftest import Chain

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


def test_the_tip_that_the_node_asks_for_is_offered(engine: FaultyNode, pool: Pool) -> None:
    pool.min_tip = pool.asked_tip = 30
    sender_at(engine).send(TO, DATA)
    (sent,) = pool.mined
    assert (sent.nonce, sent.tip, sent.cap, sent.effect) == (5, 30, 2 * 7 + 30, (TO, DATA.hex(), 0, 39_150))
    assert pool.came == [sent]


def test_a_send_costs_no_more_calls_than_before_but_the_tip_once_a_minute(engine: FaultyNode) -> None:
    sender = sender_at(engine)
    sender.send(TO, DATA)
    first, *others = COMMON
    # The nonce was asked for before too: the tip is the one call more.
    assert engine.calls == [first, others[0], "eth_maxPriorityFeePerGas", "eth_getTransactionCount", *others[1:]]
    assert engine.requests == len(engine.calls)
    engine.calls.clear()
    for _ in range(3):
        sender.send(TO, DATA)
    assert engine.calls == COMMON * 3


def test_an_engine_that_names_no_tip_is_offered_what_its_price_leaves(engine: FaultyNode, pool: Pool) -> None:
    pool.asked_tip, pool.min_tip = None, 50
    sender_at(engine).send(TO, DATA)
    assert [(sent.tip, sent.cap) for sent in pool.came] == [(10**9 - 7, 10**9 + 7)]


def test_a_chain_without_base_fee_takes_its_price(engine: FaultyNode, pool: Pool) -> None:
    pool.base_fee, pool.min_tip = None, 0
    sender_at(engine).send(TO, DATA)
    assert [(sent.tip, sent.cap) for sent in pool.mined] == [(10**9, 10**9)]
    assert engine.count("eth_maxPriorityFeePerGas") == 0


def test_a_chain_whose_gas_costs_nothing_is_offered_nothing_unless_it_asks(engine: FaultyNode, pool: Pool) -> None:
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
def test_each_engines_words_have_their_meaning(case: dict[str, Any]) -> None:
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
def test_a_refusal_that_stays_has_its_code_after_few_tries(
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
def test_what_the_node_has_already_is_sent(engine: FaultyNode, pool: Pool, case: dict[str, Any]) -> None:
    """The answer to the first hand-over was lost on the way."""

    def lost(turn: Any) -> None:
        engine.fault = only(refusal(case["message"], case["code"]), "eth_sendRawTransaction")
        turn.close()

    engine.fault = only(lost, "eth_sendRawTransaction")
    assert sender_at(engine).send(TO, DATA)["status"] == "0x1"
    assert len({sent.hash for sent in pool.came}) == 1 < len(pool.came)


def test_a_fee_that_is_raised_is_taken(engine: FaultyNode, pool: Pool) -> None:
    """The node asks for less than it takes, and says in its refusal what it needs."""
    pool.min_tip, pool.gas_price = 5_000, 0
    hashes: list[str] = []
    receipt = sender_at(engine).send(TO, DATA, announce=hashes.append)
    assert [(sent.nonce, sent.tip) for sent in pool.came] == [(5, 1), (5, 5_000)]
    assert hashes == [sent.hash for sent in pool.came]
    assert receipt["transactionHash"] == "0x" + hashes[-1]


@pytest.mark.parametrize("asked", ["asked_tip", "base_fee", "gas_price"])
def test_a_price_that_no_chain_has_is_not_paid(engine: FaultyNode, pool: Pool, asked: str) -> None:
    if asked == "gas_price":
        pool.base_fee = None
    setattr(pool, asked, 10**15)
    assert refused(sender_at(engine)).code == "NODE_ANSWER_INVALID"
    assert not pool.came


def test_a_stuck_transaction_is_replaced_by_itself_with_a_higher_fee(engine: FaultyNode, pool: Pool) -> None:
    pool.mining = False
    hashes: list[tuple[str, int]] = []
    with capture_logs() as logged:
        thread, sent = in_background(
            sender_at(engine), announce=lambda tx_hash: hashes.append((tx_hash, len(pool.came)))
        )
        with thread:
            while len(pool.came) < 2:
                assert not sent.done()
            first, second = pool.came[:2]
            pool.mining = True
            pool.mine()
            receipt = sent.result()
    assert (second.nonce, second.effect) == (first.nonce, first.effect)
    assert 8 * second.cap >= 9 * first.cap and 8 * second.tip >= 9 * first.tip
    assert receipt["transactionHash"][2:] == pool.mined[0].hash in {each.hash for each in pool.came}
    # Each hash is announced before the node has it.
    assert hashes == [(each.hash, place) for place, each in enumerate(pool.came)]
    assert logged[0]["event"] == "transaction_replaced" and logged[0]["nonce"] == 5
    assert {each.nonce for each in pool.mined} == {5}


def test_the_older_version_counts_if_it_is_mined(engine: FaultyNode, pool: Pool) -> None:
    """Two nodes behind one address: the block's maker did not see the replacement."""
    pool.mining = False
    hashes: list[str] = []
    thread, sent = in_background(sender_at(engine), announce=hashes.append)
    with thread:
        while len(pool.came) < 2:
            assert not sent.done()
        pool.waiting = {}
        pool.mined.append(pool.came[0])
        assert sent.result()["transactionHash"][2:] == pool.came[0].hash
    assert hashes[-1] == hashes[0] == pool.came[0].hash


def test_what_is_never_mined_is_replaced_a_few_times_and_then_unconfirmed(engine: FaultyNode, pool: Pool) -> None:
    pool.mining = False
    error = refused(sender_at(engine, stuck_after=0.1, receipt_timeout=4))
    assert error.code == "TRANSACTION_UNCONFIRMED"
    versions = list(dict.fromkeys(pool.came))
    assert len(versions) == 1 + REPLACEMENTS
    assert {each.nonce for each in versions} == {5} and len({each.effect for each in versions}) == 1
    assert error.details["tx_hash"] == versions[-1].hash


def test_a_replacement_that_its_caller_does_not_want_is_not_sent(engine: FaultyNode, pool: Pool) -> None:
    pool.mining = False
    hashes: list[str] = []

    def once(tx_hash: str) -> None:
        if hashes:
            raise Conflict("ENDED", "Another process ended it.")
        hashes.append(tx_hash)

    with pytest.raises(ChainUnavailable) as caught:
        sender_at(engine, stuck_after=0.1, receipt_timeout=1).send(TO, DATA, announce=once)
    assert caught.value.details["tx_hash"] == hashes[0]
    assert {each.hash for each in pool.came} == set(hashes)


def test_a_replacement_that_the_node_refuses_leaves_the_first_in_place(engine: FaultyNode, pool: Pool) -> None:
    pool.mining = False
    hashes: list[str] = []
    thread, sent = in_background(sender_at(engine), announce=hashes.append)
    with thread:
        while not pool.came:
            assert not sent.done()
        pool.refusing = Refusal("replacement transaction underpriced")
        while len(hashes) < 3:
            assert not sent.done()
        pool.refusing, pool.mining = None, True
        pool.mine()
        sent.result()
    assert hashes[2] == hashes[0] != hashes[1]


def other_program(engine: FaultyNode, pool: Pool, *nonces: int) -> list[Pooled]:
    """Transactions of the same account that an earlier process handed over and did not see mined."""
    pool.mining = False
    for nonce in range(max(nonces) - pool.height + 1):
        with pytest.raises(ChainUnavailable, match="TRANSACTION_UNCONFIRMED"):
            sender_at(engine, receipt_timeout=0).send(TO, bytes([nonce]))
    sent = list(pool.came)
    pool.lose(*(set(pool.waiting) - set(nonces)))
    pool.came.clear()
    pool.mining = True
    return [each for each in sent if each.nonce in nonces]


def test_a_gap_before_what_waits_is_filled_by_the_next_transaction(engine: FaultyNode, pool: Pool) -> None:
    other_program(engine, pool, 6, 7)
    sender = sender_at(engine)
    sender.send(TO, DATA)
    assert [each.nonce for each in pool.mined] == [5, 6, 7]
    sender.send(TO, DATA)
    assert [each.nonce for each in pool.mined] == [5, 6, 7, 8]
    assert not any(each.plain for each in pool.came)


def test_a_gap_is_filled_on_the_first_send_where_the_node_counts_what_waits_behind_it(
    engine: FaultyNode, pool: Pool
) -> None:
    pool.counts = "all"
    other_program(engine, pool, 6, 8)
    with capture_logs() as logged:
        sender_at(engine).send(TO, DATA)
    filled = [each for each in pool.mined if each.plain]
    assert [each.nonce for each in pool.mined] == [5, 6, 7, 8, 9]
    assert [(each.nonce, each.effect) for each in filled] == [
        (nonce, (pool.address, "", 0, 21_000)) for nonce in (5, 7)
    ]
    assert [(line["event"], line["nonce"], line["tx_hash"]) for line in logged] == [
        ("nonce_gap_filled", each.nonce, each.hash) for each in filled
    ]


def test_what_waits_before_a_send_and_is_not_lost_stays(engine: FaultyNode, pool: Pool) -> None:
    pool.mining = False
    waiting = other_program(engine, pool, 5, 6)
    pool.mining = False
    with capture_logs() as logged:
        assert refused(sender_at(engine, receipt_timeout=1)).code == "TRANSACTION_UNCONFIRMED"
    assert {each.nonce for each in pool.came} == {7} and not logged
    assert engine.count("eth_getTransactionCount") > 1
    pool.mine()
    assert pool.mined[:2] == waiting


def test_who_only_waits_for_a_transaction_has_the_gap_before_it_filled(
    engine: FaultyNode, pool: Pool, deployment: Deployment
) -> None:
    """After a restart: a process knows a hash, and sends nothing before that is mined."""
    (waiting,) = other_program(engine, pool, 7)
    client = ChainClient(Connection(engine.url), deployment, KEY.hex())
    with capture_logs() as logged:
        assert client.waits(waiting.hash)
    assert [each.nonce for each in pool.mined] == [5, 6, 7]
    assert [each.nonce for each in pool.mined if each.plain] == [5, 6]
    assert [line["event"] for line in logged] == ["nonce_gap_filled"] * 2
    assert not client.waits(waiting.hash)
    other = ChainClient(Connection(engine.url), deployment, (b"\2" * 32).hex())
    (waiting,) = other_program(engine, pool, 9)
    assert other.waits(waiting.hash)
    assert not pool.came, "another account's gap is its own affair"


def test_what_the_node_lost_is_handed_over_again(engine: FaultyNode, pool: Pool) -> None:
    pool.mining = False
    sender = sender_at(engine)
    with ThreadPoolExecutor(3) as threads:
        sent = [threads.submit(sender.send, TO, bytes([number])) for number in range(3)]
        while len(pool.waiting) < 3:
            assert not any(each.done() for each in sent)
        effects = {each.nonce: each.effect for each in pool.came}
        pool.lose(5, 6)
        pool.mining = True
        assert {each.result()["status"] for each in sent} == {"0x1"}
    assert [(each.nonce, each.effect) for each in pool.mined] == sorted(effects.items())


def test_a_node_that_counts_nothing_that_waits_is_sent_the_next_nonce(engine: FaultyNode, pool: Pool) -> None:
    pool.counts = "none"
    other_program(engine, pool, 5, 6)
    pool.mining = False
    thread, sent = in_background(sender_at(engine))
    with thread:
        while 7 not in pool.waiting:
            assert not sent.done()
        pool.mining = True
        pool.mine()
        sent.result()
    assert [each.nonce for each in pool.mined] == [5, 6, 7]


def test_a_hand_over_that_is_not_answered_does_not_keep_the_others_for_its_time_and_theirs(
    engine: FaultyNode, pool: Pool
) -> None:
    sender = sender_at(engine, send_timeout=1)
    sender.send(TO, DATA)
    engine.fault = only(SLOW["never"], "eth_sendRawTransaction")
    engine.calls.clear()
    with ThreadPoolExecutor(12) as threads:
        errors = list(threads.map(lambda _: refused(sender), range(12)))
    assert {(error.code, error.details["reason"]) for error in errors} == {("CHAIN_UNREACHABLE", "timeout")}
    # One after the other each would have asked.
    assert engine.count("eth_sendRawTransaction") <= 2
    engine.fault = None
    sender.send(TO, DATA)


def test_a_full_disk_of_the_local_chain_refuses_the_act(engine: FaultyNode, pool: Pool) -> None:
    pool.refusing = Refusal("the journal cannot be written", -32010, {"errno": "ENOSPC"})
    sender = sender_at(engine)
    error = refused(sender)
    assert isinstance(error, StorageFull) and error.code == "DISK_FULL"
    pool.refusing = None
    sender.send(TO, DATA)
    assert [each.nonce for each in pool.mined] == [5]


def test_a_real_node_takes_the_tip_that_it_asks_for(chain: Chain) -> None:
    connection = chain.client.connection
    asked = connection.tip()
    receipt = chain.client.anchor(0, 1, b"\1" * 32)
    sent = connection.transaction(receipt.tx_hash)
    assert sent is not None and asked is not None
    assert int(sent["maxPriorityFeePerGas"], 16) == asked > 0
