"""Fixtures that more than one layer needs: one local chain for the whole session."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ledger.chain.node import LocalNode


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalNode]:
    """A running local node, shared by all tests: restore what you change with the ``chain`` fixture."""
    with LocalNode(tmp_path_factory.mktemp("node"), persistent=False) as running:
        yield running
