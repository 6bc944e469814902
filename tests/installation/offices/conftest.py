"""Fixtures: an operator on a shared chain, and a second authority that has its own installation."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ledger.chain.accounts import account_of, new_private_key
from ledger.chain.local.node import LocalNode
from ledger.domain.powers import MIN_DELAY
from ledger.installation.joining import join
from ledger.installation.settings import Settings
from ledger.installation.wiring import Ledger, open_ledger
from tests.installation.offices.elsewhere import Elsewhere, founded, office


@pytest.fixture(scope="package")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalNode]:
    """A chain node that is started here, outside the operator's and the second authority's installations."""
    with LocalNode(tmp_path_factory.mktemp("elsewhere"), persistent=False) as running:
        yield running


@pytest.fixture(scope="package")
def elsewhere(node: LocalNode, tmp_path_factory: pytest.TempPathFactory) -> Elsewhere:
    home = tmp_path_factory.mktemp("operator") / "home"
    settings = Settings(home=home, rpc_url=node.url, delay=MIN_DELAY)
    keys = (new_private_key(), new_private_key())
    founded(settings, node, [office(key, serial) for serial, key in enumerate(keys)])
    node.fund(account_of(keys[0]))
    joining = Settings(home=tmp_path_factory.mktemp("office") / "home")
    join(joining, home / "deployment.json", node.url, keys[0])
    return Elsewhere(settings, joining, keys)


@pytest.fixture
def ledger(elsewhere: Elsewhere) -> Iterator[Ledger]:
    with open_ledger(elsewhere.settings) as opened:
        yield opened
