"""Fixture: a certificate on the chain, with all its evidence."""

from __future__ import annotations

import pytest

from tests.chain.consented import Consented, made
from tests.support.chain.deployed import Chain


@pytest.fixture
def consented(chain: Chain) -> Consented:
    return made(chain)
