"""One address leads to several nodes, of which some are behind or have another chain. The index loses no events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event
from structlog.testing import capture_logs

from ledger.chain.local.node import JOURNAL, LocalNode
from ledger.chain.reading.reader import ChainReader
from ledger.chain.rpc.connection import Block, Connection
from ledger.chain.sending import calls
from ledger.chain.sending.client import ChainClient
from ledger.errors import ChainUnavailable
from ledger.index.comparison import PATIENCE_SECONDS, Comparison, Standing
from ledger.index.follower import Cursor, Follower, SyncReport
from tests.index.conftest import NewEngine
from tests.index.test_disturbances import fresh_client
from tests.support.chain.deployed import Chain
from tests.support.chain.faulty_node import FaultyNode
from tests.support.chain.node_faults import alternating, behind, only, refusal
from tests.support.chain.scripted_ledger import ROOT, live_certificates, register


@pytest.fixture
def address(chain: Chain) -> Iterator[FaultyNode]:
    """Yield the node that the follower asks. It passes each call on to the chain's node, unless a test sets a fault."""
    with FaultyNode(upstream=chain.node.url) as made:
        yield made


@pytest.fixture
def reader(chain: Chain, address: FaultyNode) -> ChainReader:
    return ChainReader(ChainClient(Connection(address.url), chain.deployment))


def rows_alone(chain: Chain, new_engine: NewEngine) -> dict[str, list[tuple[Any, ...]]]:
    """Return the rows of a new follower that asks the chain's node directly."""
    alone = Follower(new_engine(), chain.reader)
    alone.sync()
    return alone.snapshot_rows()


def test_the_index_is_not_rewound_because_of_a_node_that_is_behind(
    chain: Chain, address: FaultyNode, reader: ChainReader, new_engine: NewEngine
) -> None:
    live_certificates(chain)
    follower = Follower(new_engine(), reader)
    reached, rows = follower.sync(), follower.snapshot_rows()
    address.fault = behind(reached.block_number - 3)
    address.calls.clear()
    with capture_logs() as logged:
        for _ in range(3):
            assert follower.sync() == SyncReport(reached.block_number, reached.block_hash, 0, 0, 0, ahead=3)
    assert follower.snapshot_rows() == rows
    assert address.calls == ["eth_getBlockByNumber"] * 3
    assert [(line["event"], line["index_block"], line["node_block"]) for line in logged] == [
        ("index_ahead_of_node", reached.block_number, reached.block_number - 3)
    ]
    assert follower.lag().blocks == 0
    address.fault = None
    chain.node.mine(1)
    assert follower.sync() == SyncReport(reached.block_number + 1, chain.reader.latest().hash, 1, 0, 0)


def test_the_index_follows_a_node_with_a_shorter_chain_on_another_branch(
    chain: Chain, reader: ChainReader, new_engine: NewEngine
) -> None:
    token = chain.node.snapshot()
    for seq in range(3):
        chain.client.send(calls.anchor(seq, 1, ROOT))
    follower = Follower(new_engine(), reader)
    follower.sync()
    chain.node.revert(token)
    fresh_client(chain).send(calls.anchor(0, 1, "11" * 32))
    with capture_logs() as logged:
        assert follower.sync().rewound == 3
    assert [line["event"] for line in logged] == ["index_went_back"]
    assert follower.snapshot_rows() == rows_alone(chain, new_engine)


@pytest.mark.parametrize("lag", [1, 2, 5])
def test_the_index_loses_no_events_if_nodes_of_different_heights_share_an_address(
    chain: Chain, address: FaultyNode, reader: ChainReader, new_engine: NewEngine, lag: int
) -> None:
    follower = Follower(new_engine(), reader, step=2)
    follower.sync()
    chain.client.send(calls.anchor(0, 64, ROOT))
    rewound = 0
    for index in range(6):
        chain.client.send(calls.revoke(0, index, "fraud"))
        address.fault = alternating(None, behind(chain.reader.block_number() - lag), None)
        for _ in range(3):
            try:
                rewound += follower.sync().rewound
            except ChainUnavailable as refused:
                # A sync that meets the node that is behind raises an error and writes nothing. The next sync continues
                # at the same place.
                assert refused.code in {"BLOCK_MISSING", "NODE_REFUSED", "INDEX_HEAD_MISMATCH"}
    address.fault = None
    rewound += follower.sync().rewound
    assert rewound == 0
    assert follower.snapshot_rows()["idx_statuses"] == rows_alone(chain, new_engine)["idx_statuses"] != []


def test_a_block_that_a_node_lacks_for_a_moment_is_read_again(
    chain: Chain, address: FaultyNode, reader: ChainReader, new_engine: NewEngine
) -> None:
    follower = Follower(new_engine(), reader)
    follower.sync()
    chain.client.send(calls.anchor(0, 1, ROOT))
    missing = refusal("header not found")
    address.fault = alternating(*[None] * 4, only(missing, "eth_call"), *[None] * 20)
    assert follower.sync().events == 1


def test_another_chain_at_the_address_of_the_node_does_not_change_the_index(
    chain: Chain, address: FaultyNode, reader: ChainReader, new_engine: NewEngine, tmp_path: Path
) -> None:
    chain.client.send(calls.anchor(0, 1, ROOT))
    follower = Follower(new_engine(), reader, patience=0)
    reached, rows = follower.sync(), follower.snapshot_rows()
    for chain_id, code in ((4413, "CHAIN_ID_CHANGED"), (chain.deployment.chain_id, "CHAIN_GENESIS_CHANGED")):
        with LocalNode(tmp_path / str(chain_id), program=JOURNAL, chain_id=chain_id, persistent=False) as other:
            address.upstream = other.url
            other.mine(reached.block_number + 5)
            with pytest.raises(ChainUnavailable) as caught:
                follower.sync()
            assert (caught.value.code, caught.value.where) == (code, address.url)
            assert follower.snapshot_rows() == rows
    address.upstream = chain.node.url
    assert follower.sync() == SyncReport(reached.block_number, reached.block_hash, 0, 0, 0)


def test_the_index_waits_for_a_node_that_syncs_from_the_beginning(
    chain: Chain, address: FaultyNode, reader: ChainReader, new_engine: NewEngine
) -> None:
    """The follower waits without a time limit. The node does not have the block of the deployment yet, so the follower
    cannot find out whether the node has the right chain.
    """
    follower = Follower(new_engine(), reader, patience=0)
    reached = follower.sync()
    address.fault = behind(0)
    assert follower.sync() == SyncReport(reached.block_number, reached.block_hash, 0, 0, 0, reached.block_number)


def test_the_index_of_a_local_chain_is_never_rewound(chain: Chain, new_engine: NewEngine) -> None:
    token = chain.node.snapshot()
    chain.client.send(calls.anchor(0, 1, ROOT))
    follower = Follower(new_engine(), chain.reader, goes_back=False, patience=0)
    reached, rows = follower.sync(), follower.snapshot_rows()
    chain.node.revert(token)
    assert follower.sync() == SyncReport(reached.block_number, reached.block_hash, 0, 0, 0, ahead=1)
    chain.node.mine(1)
    assert follower.sync().rewound == 0
    assert follower.snapshot_rows() == rows


def test_the_index_follows_a_shorter_chain_after_waiting_long_enough(chain: Chain) -> None:
    now = [1000.0]
    latest = chain.reader.latest()
    comparison = Comparison(chain.reader, PATIENCE_SECONDS, lambda: now[0])
    kept = [(latest.number, latest.hash)]

    def standing(number: int, node: Block) -> Standing:
        return comparison.standing((number, "ab" * 32), node, lambda: kept)

    assert standing(latest.number + 2, latest) is Standing.AHEAD
    now[0] += PATIENCE_SECONDS - 1
    assert standing(latest.number + 2, latest) is Standing.AHEAD
    now[0] += 1
    assert standing(latest.number + 2, latest) is Standing.GONE
    # After GONE, the waiting time begins again. If a node has another block with the number of the index's last block,
    # the result is GONE without waiting. The next missing block then begins a new waiting time.
    assert standing(latest.number + 2, latest) is Standing.AHEAD
    now[0] += PATIENCE_SECONDS
    assert standing(latest.number, latest) is Standing.GONE
    assert standing(latest.number + 2, latest) is Standing.AHEAD


def test_the_newest_block_that_index_and_node_share_is_found_in_few_calls(
    chain: Chain, address: FaultyNode, reader: ChainReader
) -> None:
    chain.node.mine(40)
    latest, first = chain.reader.latest(), chain.reader.deploy_block
    kept = [(each.number, each.hash) for each in chain.reader.blocks(range(first, latest.number + 1))]
    comparison = Comparison(reader, 0)
    for common in (0, 1, 17, len(kept) - 2, len(kept) - 1):
        other = [*kept[: common + 1], *((number, "ab" * 32) for number, _ in kept[common + 1 :])]
        address.calls.clear()
        assert comparison.common(other, latest) == kept[common][0]
        assert len(address.calls) <= len(kept).bit_length()
    assert comparison.common([(number, "ab" * 32) for number, _ in kept], latest) == first - 1


def test_the_position_of_the_index_is_read_without_a_call_to_the_node(
    address: FaultyNode, reader: ChainReader, new_engine: NewEngine
) -> None:
    follower = Follower(new_engine(), reader)
    assert follower.cursor() is None
    follower.sync()
    latest = reader.latest()
    address.calls.clear()
    assert follower.cursor() == Cursor(latest.number, latest.hash, latest.time)
    assert address.calls == []


def test_the_index_reports_its_lag_in_blocks_and_seconds(reader: ChainReader) -> None:
    latest = reader.latest()
    assert (reader.head_age(latest.time + 90), reader.head_age(latest.time - 5)) == (90, 0)


def test_a_sync_without_new_blocks_makes_only_two_calls_to_the_node(
    chain: Chain, address: FaultyNode, reader: ChainReader, new_engine: NewEngine
) -> None:
    follower = Follower(new_engine(), reader)
    follower.sync()
    address.calls.clear()
    assert follower.sync().blocks == 0
    assert address.calls == ["eth_getBlockByNumber"] * 2
    chain.client.send(calls.anchor(0, 1, ROOT))
    address.calls.clear()
    assert follower.sync().events == 1
    step = ["eth_getLogs", "eth_getBlockByNumber", "eth_getBlockByNumber", "eth_call", "eth_call"]
    assert address.calls == ["eth_getBlockByNumber"] * 2 + step


class WatchedConnection(Connection):
    """A connection that fails if it is used during a database transaction, because other writers would then wait for a
    slow node.
    """

    def __init__(self, url: str, engine: Engine) -> None:
        super().__init__(url)
        self.asked = self.open = 0
        event.listen(engine, "begin", lambda _: self._count(1))
        event.listen(engine, "commit", lambda _: self._count(-1))
        event.listen(engine, "rollback", lambda _: self._count(-1))

    def _count(self, change: int) -> None:
        self.open += change

    def request(self, method: str, *params: Any) -> Any:
        assert not self.open
        self.asked += 1
        return super().request(method, *params)

    def ask_many(self, calls: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        assert not self.open
        self.asked += 1
        return super().ask_many(calls)


def test_the_node_is_never_called_during_a_database_transaction(chain: Chain, new_engine: NewEngine) -> None:
    engine = new_engine()
    connection = WatchedConnection(chain.node.url, engine)
    reader = ChainReader(ChainClient(connection, chain.deployment))
    follower = Follower(engine, reader, step=3, patience=0)
    follower.sync()
    token = chain.node.snapshot()
    chain.acting("provider").send(register("a5" * 32))
    follower.sync()
    chain.node.revert(token)
    follower.sync()
    fresh_client(chain).send(calls.anchor(0, 1, ROOT))
    follower.sync()
    follower.rebuild()
    follower.audit()
    assert connection.asked > 20
