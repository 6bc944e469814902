"""Fixtures: a node that makes faults on demand, and a connection to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ledger.chain.rpc.connection import Connection
from tests.chain.rpc.healthy_node import HEALTHY, MAX_BYTES
from tests.support.chain.faulty_node import FaultyNode


@pytest.fixture
def node() -> Iterator[FaultyNode]:
    with FaultyNode(answers=HEALTHY) as made:
        yield made


@pytest.fixture
def connection(node: FaultyNode) -> Connection:
    return Connection(node.url, timeout=10, max_bytes=MAX_BYTES)
