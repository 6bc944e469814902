"""Tests transactions that wait too long. They are replaced or sent again. If a transaction with a lower nonce is
missing, the sender fills this nonce.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from structlog.testing import capture_logs

from ledger.chain.contracts.deployment import Deployment
from ledger.chain.rpc.connection import Connection
from ledger.chain.sending.client import ChainClient
from ledger.chain.sending.nonces import REPLACEMENTS
from ledger.errors import ChainUnavailable, Conflict
from tests.chain.sending.test_sender import DATA, KEY, TO, engine, in_background, pool, refused, sender_at
from tests.chain.sending.transaction_pool import Pool, Pooled
from tests.support.chain.faulty_node import FaultyNode, Refusal

__all__ = ["engine", "pool"]


def test_a_stuck_transaction_is_replaced_with_a_higher_fee(engine: FaultyNode, pool: Pool) -> None:
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
    # The sender reports the hash of each transaction to its caller before it sends the transaction to the node.
    assert hashes == [(each.hash, place) for place, each in enumerate(pool.came)]
    assert logged[0]["event"] == "transaction_replaced" and logged[0]["nonce"] == 5
    assert {each.nonce for each in pool.mined} == {5}


def test_the_result_is_the_older_version_of_a_transaction_if_that_version_was_mined(
    engine: FaultyNode, pool: Pool
) -> None:
    """The producer of the block did not get the replacement, so it mines the older version."""
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


def test_a_transaction_that_is_never_mined_ends_unconfirmed(engine: FaultyNode, pool: Pool) -> None:
    pool.mining = False
    error = refused(sender_at(engine, stuck_after=0.1, receipt_timeout=4))
    assert error.code == "TRANSACTION_UNCONFIRMED"
    versions = list(dict.fromkeys(pool.came))
    assert len(versions) == 1 + REPLACEMENTS
    assert {each.nonce for each in versions} == {5} and len({each.effect for each in versions}) == 1
    assert error.details["tx_hash"] == versions[-1].hash


def test_a_replacement_transaction_is_not_sent_if_announcing_it_raises_an_error(engine: FaultyNode, pool: Pool) -> None:
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


def test_the_first_version_of_a_transaction_is_kept_if_its_replacement_is_refused(
    engine: FaultyNode, pool: Pool
) -> None:
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
    """Put transactions of the same account into the pool, as an earlier process would have sent them."""
    pool.mining = False
    for nonce in range(max(nonces) - pool.height + 1):
        with pytest.raises(ChainUnavailable, match="TRANSACTION_UNCONFIRMED"):
            sender_at(engine, receipt_timeout=0).send(TO, bytes([nonce]))
    sent = list(pool.came)
    pool.lose(*(set(pool.waiting) - set(nonces)))
    pool.came.clear()
    pool.mining = True
    return [each for each in sent if each.nonce in nonces]


def test_the_next_transaction_fills_a_missing_nonce(engine: FaultyNode, pool: Pool) -> None:
    other_program(engine, pool, 6, 7)
    sender = sender_at(engine)
    sender.send(TO, DATA)
    assert [each.nonce for each in pool.mined] == [5, 6, 7]
    sender.send(TO, DATA)
    assert [each.nonce for each in pool.mined] == [5, 6, 7, 8]
    assert not any(each.plain for each in pool.came)


def test_a_missing_nonce_is_filled_on_a_node_that_counts_waiting_transactions(engine: FaultyNode, pool: Pool) -> None:
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


def test_waiting_transactions_that_are_not_lost_are_kept(engine: FaultyNode, pool: Pool) -> None:
    pool.mining = False
    waiting = other_program(engine, pool, 5, 6)
    pool.mining = False
    with capture_logs() as logged:
        assert refused(sender_at(engine, receipt_timeout=1)).code == "TRANSACTION_UNCONFIRMED"
    assert {each.nonce for each in pool.came} == {7} and not logged
    assert engine.count("eth_getTransactionCount") > 1
    pool.mine()
    assert pool.mined[:2] == waiting


def test_waiting_for_a_transaction_fills_a_missing_nonce_that_blocks_the_transaction(
    engine: FaultyNode, pool: Pool, deployment: Deployment
) -> None:
    """After a restart, a process knows only the hash of its transaction. The process must wait until this transaction
    is mined before it sends the next one.
    """
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
    assert not pool.came, "a missing nonce of another account is not filled"


def test_a_transaction_that_the_node_lost_is_sent_again(engine: FaultyNode, pool: Pool) -> None:
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


def test_the_next_nonce_is_right_on_a_node_that_ignores_waiting_transactions(engine: FaultyNode, pool: Pool) -> None:
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
