"""While a follower reads, the chain grows or is reorganised, and other followers write to the same database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ledger.chain.contracts.abi import Event
from ledger.chain.reading.reader import ChainReader
from ledger.chain.rpc.connection import Block, Connection
from ledger.chain.sending import calls
from ledger.chain.sending.client import ChainClient
from ledger.index.follower import Follower
from tests.index.conftest import NewEngine
from tests.support.chain.deployed import Chain
from tests.support.chain.scripted_ledger import ROOT, live_certificates, register

ASSET = "a5" * 32


def fresh_client(chain: Chain) -> ChainClient:
    """Return a new client. The old client cannot be used: it remembers nonces from before the chain was rewound."""
    return ChainClient(Connection(chain.node.url), chain.deployment, chain.parties["issuer"].key)


def test_reading_the_chain_in_steps_gives_the_same_rows_as_reading_it_at_once(
    chain: Chain, new_engine: NewEngine
) -> None:
    along = Follower(new_engine(), chain.reader, window=4)
    along.sync()
    live_certificates(chain)
    middle = along.sync(chain.reader.block_number() - 3)
    assert along.lag().blocks == 3
    assert chain.reader.block_number() - 3 == middle.block_number
    assert along.sync().rewound == 0
    assert along.sync().events == 0
    assert along.lag().blocks == along.lag().seconds == 0
    at_once = Follower(new_engine(), chain.reader, window=4)
    at_once.sync()
    assert along.snapshot_rows() == at_once.snapshot_rows()


def test_unconfirmed_blocks_are_not_read(chain: Chain, new_engine: NewEngine) -> None:
    careful = Follower(new_engine(), chain.reader, confirmations=2)
    chain.client.send(calls.anchor(0, 1, ROOT))
    assert careful.sync().block_number == chain.reader.block_number() - 2
    assert not careful.snapshot_rows()["idx_anchors"]
    chain.node.mine(2)
    careful.sync()
    assert len(careful.snapshot_rows()["idx_anchors"]) == 1


@pytest.mark.parametrize(("step", "window"), [(3, 2), (500, 128)])
def test_the_index_follows_a_reorganised_chain(chain: Chain, new_engine: NewEngine, step: int, window: int) -> None:
    follower = Follower(new_engine(), chain.reader, step=step, window=window, patience=0)
    chain.client.send(calls.anchor(0, 8, ROOT))
    token, fork = chain.node.snapshot(), chain.reader.block_number()
    chain.acting("provider").send(register(ASSET))
    chain.client.send(calls.revoke(0, 1, "fraud"))
    chain.client.send(calls.suspend(0, 2, "court"))
    before = follower.sync()
    chain.node.revert(token)
    client = fresh_client(chain)
    client.send(calls.revoke(0, 2, "court"))
    client.send(calls.anchor(8, 1, ROOT))
    report = follower.sync()
    assert report.rewound == before.block_number - fork
    assert report.block_number == fork + 2
    anew = Follower(new_engine(), chain.reader, step=step, window=window)
    anew.sync()
    assert follower.snapshot_rows() == anew.snapshot_rows()
    assert not follower.snapshot_rows()["idx_assets"]


def test_the_index_follows_a_chain_that_became_shorter(chain: Chain, new_engine: NewEngine) -> None:
    """A follower assumes at first that the node is only behind, and rewinds the index only after a limited time; here
    this time is zero.
    """
    follower = Follower(new_engine(), chain.reader, patience=0)
    follower.sync()
    rows = follower.snapshot_rows()
    token = chain.node.snapshot()
    live_certificates(chain)
    longer = follower.sync()
    chain.node.revert(token)
    report = follower.sync()
    assert (report.events, report.rewound) == (0, longer.block_number - report.block_number)
    assert follower.snapshot_rows() == rows


def test_a_longer_branch_of_the_chain_is_detected(chain: Chain, follower: Follower) -> None:
    """The new branch also has a block with the number of the last block that the follower read, but this block has
    another hash.
    """
    token = chain.node.snapshot()
    chain.client.send(calls.anchor(0, 1, ROOT))
    follower.sync()
    chain.node.revert(token)
    client = fresh_client(chain)
    for seq in range(3):
        client.send(calls.anchor(seq, 1, "11" * 32))
    assert follower.sync().rewound == 1
    assert [row[4] for row in follower.snapshot_rows()["idx_anchors"]] == ["11" * 32] * 3


class InterruptedReader(ChainReader):
    """A reader that calls the function ``meanwhile`` once, at the moment ``method``: before or after it reads events,
    before it reads one block, or after it reads headers.
    """

    def __init__(self, client: ChainClient, method: str, meanwhile: Callable[[], object]) -> None:
        super().__init__(client)
        self._method = method
        self._meanwhile: Callable[[], object] | None = meanwhile

    def events(self, first: int, last: int) -> list[Event]:
        self._interrupt("events")
        found = super().events(first, last)
        self._interrupt("after events")
        return found

    def block(self, number: int) -> Block | None:
        self._interrupt("going back")
        return super().block(number)

    def blocks(self, numbers: Any) -> list[Block]:
        found = super().blocks(numbers)
        if len(numbers) > 1:
            self._interrupt("after headers")
        return found

    def _interrupt(self, method: str) -> None:
        if method == self._method and self._meanwhile is not None:
            meanwhile, self._meanwhile = self._meanwhile, None
            meanwhile()


@pytest.mark.parametrize("moment", ["events", "after events", "after headers"])
def test_only_one_of_two_followers_writes(chain: Chain, new_engine: NewEngine, moment: str) -> None:
    chain.client.send(calls.anchor(0, 8, ROOT))
    chain.client.send(calls.revoke(0, 1, "fraud"))
    engine = new_engine()
    winner = Follower(engine, chain.reader)
    loser = Follower(engine, InterruptedReader(chain.client, moment, winner.sync))
    reached = loser.sync()
    assert (reached.block_number, reached.events) == (chain.reader.latest().number, 0)
    rows = winner.snapshot_rows()
    assert loser.sync().events == 0
    assert loser.snapshot_rows() == rows
    alone = Follower(new_engine(), chain.reader)
    alone.sync()
    assert alone.snapshot_rows() == rows


def test_only_one_of_two_followers_rewinds_the_index(chain: Chain, new_engine: NewEngine) -> None:
    token, engine = chain.node.snapshot(), new_engine()
    chain.client.send(calls.anchor(0, 8, ROOT))
    winner = Follower(engine, chain.reader)
    winner.sync()
    chain.node.revert(token)
    fresh_client(chain).send(calls.anchor(0, 1, ROOT))
    loser = Follower(engine, InterruptedReader(chain.client, "going back", winner.sync))
    reached = loser.sync()
    assert (reached.block_number, reached.rewound) == (chain.reader.block_number(), 0)
    alone = Follower(new_engine(), chain.reader)
    alone.sync()
    assert loser.snapshot_rows() == alone.snapshot_rows()


@pytest.mark.parametrize("moment", ["events", "after events", "after headers"])
def test_a_chain_that_changes_while_it_is_read_leaves_no_wrong_rows(
    chain: Chain, new_engine: NewEngine, moment: str
) -> None:
    token = chain.node.snapshot()
    chain.client.send(calls.anchor(0, 8, ROOT))
    chain.client.send(calls.revoke(0, 1, "fraud"))

    def replace_chain() -> None:
        chain.node.revert(token)
        client = fresh_client(chain)
        for seq in range(3):
            client.send(calls.anchor(seq, 1, ROOT))

    disturbed = Follower(new_engine(), InterruptedReader(chain.client, moment, replace_chain))
    disturbed.sync()
    disturbed.sync()
    alone = Follower(new_engine(), chain.reader)
    alone.sync()
    assert disturbed.snapshot_rows() == alone.snapshot_rows()
