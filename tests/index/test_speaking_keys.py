"""The index shows at once that a party has no key that may act. The contract says so only after the waiting period."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from ledger.chain.sending import calls
from ledger.index.follower import Follower
from ledger.index.speaking_keys import is_mute
from tests.index.conftest import NewEngine
from tests.support.chain.deployed import PARTIES, Chain, test_key
from tests.support.chain.reads import is_silent
from tests.support.chain.scripted_ledger import account

BANK, FIRM = PARTIES["bank"], PARTIES["enterprise"]


@pytest.fixture
def engine(new_engine: NewEngine) -> Engine:
    return new_engine()


def mute(chain: Chain, engine: Engine, number: int) -> bool:
    Follower(engine, chain.reader).sync()
    with engine.connect() as connection:
        return is_mute(connection, number)


def test_a_party_whose_only_key_is_reported_as_lost_cannot_act(waiting_chain: Chain, engine: Engine) -> None:
    chain, fresh = waiting_chain, "the bank's new key"
    assert not mute(chain, engine, BANK.no)
    chain.acting("founder").send(calls.report(BANK.no, BANK.account))
    assert mute(chain, engine, BANK.no) and not is_silent(chain.reader, BANK.no)
    assert not mute(chain, engine, FIRM.no)
    # Possession of the new key was not proven, so the party still has no key that may act.
    chain.decide(calls.change_key(BANK.no, account("unproven")))
    assert mute(chain, engine, BANK.no)
    chain.decide(calls.change_key(BANK.no, account(fresh), BANK.account, chain.proof(test_key(fresh), BANK.no)))
    assert not mute(chain, engine, BANK.no)


def test_a_party_whose_only_proven_key_is_retired_cannot_act(chain: Chain, engine: Engine) -> None:
    chain.decide(calls.change_key(BANK.no, account("unproven"), BANK.account))
    assert mute(chain, engine, BANK.no)


def test_a_suspended_party_has_a_usable_key_but_a_closed_party_has_none(chain: Chain, engine: Engine) -> None:
    chain.acting("supervisor").send(calls.set_status(BANK.no, "suspended", "court"))
    assert not mute(chain, engine, BANK.no)
    chain.decide(calls.set_status(BANK.no, "closed", "court"))
    assert mute(chain, engine, BANK.no)
    assert mute(chain, engine, 99)
