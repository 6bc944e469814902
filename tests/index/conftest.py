"""Fixtures: chains, and followers that each have their own database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine

from ledger.chain.contracts.deployment import Deployment
from ledger.chain.local.node import LocalNode
from ledger.chain.reading.reader import ChainReader
from ledger.chain.rpc.connection import Connection
from ledger.chain.sending.client import ChainClient
from ledger.index.follower import Follower
from tests.support.chain.deployed import PARTIES, Chain
from tests.support.chain.scripted_ledger import live

NewEngine = Callable[[], Engine]
Rows = dict[str, list[tuple[Any, ...]]]


@pytest.fixture
def new_engine(tmp_path: Path) -> Iterator[NewEngine]:
    """Yield a function that returns an engine on a new database file."""
    made: list[Engine] = []
    numbers = count()

    def make() -> Engine:
        made.append(create_engine(f"sqlite:///{tmp_path / f'index-{next(numbers)}.db'}"))
        return made[-1]

    yield make
    for engine in made:
        engine.dispose()


@pytest.fixture
def follower(chain: Chain, new_engine: NewEngine) -> Follower:
    return Follower(new_engine(), chain.reader)


@pytest.fixture(scope="module")
def lived(node: LocalNode, deployment: Deployment) -> Iterator[Chain]:
    """Yield a chain that has every kind of event. Tests that use this fixture only read the chain."""
    token = node.snapshot()
    client = ChainClient(Connection(node.url), deployment, PARTIES["issuer"].key)
    chain = Chain(node, deployment, client, ChainReader(client), dict(PARTIES))
    live(chain)
    yield chain
    node.revert(token)


@pytest.fixture(scope="module")
def lived_rows(lived: Chain, tmp_path_factory: pytest.TempPathFactory) -> Rows:
    """Return the index rows of a follower that read the chain ``lived`` in one step."""
    engine = create_engine(f"sqlite:///{tmp_path_factory.mktemp('lived') / 'index.db'}")
    follower = Follower(engine, lived.reader)
    follower.sync()
    rows = follower.snapshot_rows()
    engine.dispose()
    return rows
