"""Tests that the local chain has the same blocks after every restart, however the process ended, and that it refuses
changes that it cannot record in its journal.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from ledger.chain.contracts.deployment import Deployment
from ledger.chain.local.node import LocalNode
from ledger.chain.rpc.connection import Connection
from ledger.chain.sending import calls
from ledger.chain.sending.calls import Founding
from ledger.chain.sending.client import ChainClient
from ledger.chain.sending.deploy import deploy
from ledger.domain.parties import Role
from ledger.errors import ChainUnavailable, Conflict, Forbidden
from tests.chain.local.journals import KEY, OWNER, blocks_of, journal_of, journaled
from tests.support.chain.scripted_ledger import account, digest

ACCOUNTS = {"owner": OWNER, **{name: account(name) for name in ("second", "third", "other")}}
FOUNDING = [
    Founding(digest(name), (owned,), 1 if name == "other" else Role.mask([Role.AUTHORITY]))
    for name, owned in ACCOUNTS.items()
]
ENDINGS = {"stopped": LocalNode.stop, "killed": LocalNode.kill}


def live(node: LocalNode) -> Deployment:
    """Make blocks of all kinds: with new contracts, without transactions, after a jump in time, with a transaction that
    reverts.
    """
    deployed = deploy(node.url, KEY, FOUNDING, delay=0)
    client = ChainClient.at(node.url, deployed, KEY)
    node.mine(2)
    node.advance(3600)
    refused = client.encode(calls.set_roles(1, 1))
    with pytest.raises(Forbidden):
        client.transact(deployed.party_registry, refused, gas=200_000)
    client.send(calls.set_roles(4, 2))
    return deployed


@pytest.mark.parametrize("end", ENDINGS.values(), ids=ENDINGS)
def test_a_restarted_chain_has_the_same_blocks(tmp_path: Path, end: Callable[[LocalNode], None]) -> None:
    node = journaled(tmp_path).start()
    deployed = live(node)
    before = blocks_of(node)
    end(node)
    with node:
        assert blocks_of(node) == before
        client = ChainClient.at(node.url, deployed, KEY).check()
        receipt = client.send(calls.set_roles(4, 3))
        tip = before[-1]
        assert tip is not None and (receipt.block_number, receipt.time >= tip.time) == (tip.number + 1, True)
        longer = blocks_of(node)
    with journaled(tmp_path) as again:
        assert blocks_of(again) == longer


def test_block_times_never_go_back_after_a_restart(tmp_path: Path) -> None:
    """The journal stores the blocks, but not how far the clock was moved ahead. Even so, after a restart no new block
    may be earlier than the last stored block.
    """
    with journaled(tmp_path) as node:
        node.advance(7200)
        ahead = Connection(node.url).block()
    with journaled(tmp_path) as node:
        node.mine()
        later = Connection(node.url).block()
    assert ahead is not None and later is not None
    assert later.parent == ahead.hash
    assert later.time >= ahead.time


def test_read_calls_and_refused_calls_do_not_change_the_blocks(tmp_path: Path) -> None:
    """A restarted chain repeats only the calls in its journal, so other calls must not influence the blocks."""
    call = {"from": OWNER, "to": "0x" + "22" * 20, "data": "0x", "value": "0x1"}
    asked: list[tuple[str, list[object]]] = [
        ("eth_call", [call, "pending"]),
        ("eth_estimateGas", [call]),
        ("eth_estimateGas", [call, "pending"]),
        ("eth_getBlockByNumber", ["pending", True]),
        ("eth_getTransactionCount", [OWNER, "pending"]),
        ("eth_feeHistory", ["0x5", "pending", []]),
        ("eth_newBlockFilter", []),
        ("eth_sendRawTransaction", ["0x00"]),
        ("evm_mine", ["never"]),
        ("hardhat_setBalance", [OWNER, "money"]),
    ]
    with journaled(tmp_path) as node:
        for method, params in asked * 3:
            with suppress(ChainUnavailable):
                node.rpc(method, *params)
            node.mine()
        live(node)
        before = blocks_of(node)
    assert len(before) > 3 * len(asked)
    with node:
        assert (node.repaired, blocks_of(node)) == (None, before)


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("evm_snapshot", []),
        ("evm_setNextBlockTimestamp", [4_000_000_000]),
        ("evm_setAutomine", [False]),
        ("hardhat_setNonce", ["0x" + "11" * 20, "0x9"]),
        ("hardhat_reset", []),
    ],
)
def test_calls_that_the_journal_cannot_record_are_refused(shared: LocalNode, method: str, params: list[object]) -> None:
    before = blocks_of(shared)
    with pytest.raises(ChainUnavailable) as caught:
        shared.rpc(method, *params)
    assert caught.value.code == "NODE_REFUSED"
    assert "not journaled" in str(caught.value.details)
    assert blocks_of(shared) == before


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalNode]:
    with journaled(tmp_path_factory.mktemp("journaled")) as node:
        yield node


def test_read_calls_add_no_line_to_the_journal(shared: LocalNode, tmp_path: Path) -> None:
    """The journal contains only calls that changed the chain."""
    directory = shared.log_path.parent
    before = journal_of(directory).read_bytes()
    blocks_of(shared)
    Connection(shared.url).gas_price()
    assert journal_of(directory).read_bytes() == before


def test_snapshots_can_be_used_without_a_journal(tmp_path: Path) -> None:
    with journaled(tmp_path, persistent=False) as node:
        before = blocks_of(node)
        token = node.snapshot()
        node.mine(2)
        node.revert(token)
        assert blocks_of(node) == before
    assert not journal_of(tmp_path).exists()


def test_a_journal_is_used_by_one_node_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.chain.local.node.LOCK_TIMEOUT_SECONDS", 0)
    with journaled(tmp_path) as first, pytest.raises(Conflict) as caught:
        journaled(tmp_path).start()
    assert caught.value.code == "CHAIN_RUNNING"
    assert not first.running


def test_a_starting_node_waits_for_the_earlier_node_to_end(tmp_path: Path) -> None:
    first = journaled(tmp_path).start()
    first.mine(3)
    before = blocks_of(first)
    ending = threading.Timer(0.3, first.stop)
    ending.start()
    with journaled(tmp_path) as second:
        assert not first.running
        assert blocks_of(second)[: len(before)] == before
    ending.join()


def test_a_long_replay_reports_its_progress(tmp_path: Path) -> None:
    journal_of(tmp_path).write_text(json.dumps({"method": "evm_mine", "params": [], "time": None}) + "\n")
    journal_of(tmp_path).write_text(journal_of(tmp_path).read_text() * 2_500)
    with journaled(tmp_path) as node:
        assert Connection(node.url).block_number() >= 2_500
        printed = node.log_path.read_text().splitlines()
    assert printed[:2] == ["Replayed 1000", "Replayed 2000"]
