"""A node may hide the last events of an asset. No later event reveals this, but the audit finds it."""

from __future__ import annotations

from ledger.chain.sending import asset_calls
from ledger.index.follower import Follower
from tests.index.conftest import NewEngine
from tests.support.chain.deployed import Chain
from tests.support.chain.hiding_nodes import reader_without
from tests.support.chain.scripted_ledger import register

FIRST, SECOND = "a1" * 32, "a2" * 32


def test_the_audit_finds_no_difference_on_an_honest_node(lived: Chain, new_engine: NewEngine) -> None:
    audit = Follower(new_engine(), lived.reader).audit()
    assert audit.agrees
    assert audit.assets == audit.assets_on_chain == lived.reader.asset_count() > 1
    assert audit.block == lived.reader.block_number()


def test_a_last_event_that_the_node_hides_is_found(chain: Chain, new_engine: NewEngine) -> None:
    engine = new_engine()
    chain.acting("bank").send(register(FIRST, SECOND))
    Follower(engine, chain.reader).sync()
    (hidden,) = chain.acting("founder").send(asset_calls.set_frozen(FIRST, True, "court")).events
    blind = Follower(engine, reader_without(chain, hidden))
    assert blind.sync().block_number == hidden.block_number
    audit = blind.audit()
    assert (audit.agrees, audit.differing) == (False, (FIRST,))


def test_an_asset_that_the_node_hides_is_found(chain: Chain, new_engine: NewEngine) -> None:
    chain.acting("bank").send(register(FIRST))
    hidden = chain.acting("bank").send(register(SECOND)).events
    audit = Follower(new_engine(), reader_without(chain, *hidden)).audit()
    assert (audit.agrees, audit.differing) == (False, ())
    assert audit.assets == audit.assets_on_chain - 1
