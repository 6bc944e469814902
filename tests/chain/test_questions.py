"""Questions sent together: how many turns to the node they cost, and that each answer is its own question's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from ledger.chain.client import ChainClient
from ledger.chain.connection import Connection
from ledger.chain.questions import Questions
from ledger.errors import NotFound
from tests.chain.life import ROOT
from tests.conftest import SCENARIO, Chain


class CountingConnection(Connection):
    """Remembers the methods of each request that it sends."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.turns: list[list[str]] = []

    def ask_many(self, calls: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        self.turns.append([method for method, _ in calls])
        return super().ask_many(calls)


@pytest.fixture
def counting(chain: Chain) -> CountingConnection:
    return CountingConnection(chain.node.url)


@pytest.fixture
def asked(chain: Chain, counting: CountingConnection) -> Questions:
    """Questions as of a block in which leaf (0, 1) was used twice and leaf (0, 2) suspended."""
    chain.client.anchor(0, 9, ROOT)
    for ordinal in (1, 2):
        chain.acting("bank").record_use(0, 1, ordinal)
    chain.client.suspend(0, 2, "court")
    return Questions(ChainClient(counting, chain.deployment), chain.reader.block_number())


def test_what_is_asked_first_is_sent_together_and_each_answer_is_its_own(
    chain: Chain, asked: Questions, counting: CountingConnection
) -> None:
    bank, issuer = chain.parties["bank"], chain.parties["issuer"]
    last = chain.reader.block_number()
    account, stranger = asked.account(bank.account), asked.account("0x" + "ee" * 20)
    party, nobody = asked.party(issuer.no), asked.party(99)
    period, none = asked.accreditation(issuer.no, SCENARIO), asked.accreditation(issuer.no, "S99")
    anchored, missing = asked.commitment(0), asked.commitment(1)
    paused, fresh = (asked.status_history(0, index, chain.reader.deploy_block, last) for index in (2, 3))
    unused = asked.use_history(0, 3, chain.reader.deploy_block, last)
    assert counting.turns == []
    assert anchored() == chain.reader.commitment(0)
    record = account()
    assert record is not None and record.party_no == bank.no
    assert party().id == issuer.id
    assert (stranger(), missing(), none(), unused(), fresh()) == (None, None, (0, 0), [], [])
    assert period() == chain.reader.accreditation(issuer.no, SCENARIO)
    assert [change.status for change in paused()] == ["suspended"]
    with pytest.raises(NotFound, match="PARTY_UNKNOWN"):
        nobody()
    assert len(counting.turns) == 1


def test_the_same_question_is_sent_once(asked: Questions, counting: CountingConnection) -> None:
    first, second = asked.uses(0, 1), asked.uses(0, 1)
    assert (first(), second()) == (2, 2)
    assert counting.turns == [["eth_call"]]


def test_events_of_uses_are_asked_for_only_where_the_counter_tells_of_some(
    chain: Chain, asked: Questions, counting: CountingConnection
) -> None:
    span = chain.reader.deploy_block, chain.reader.block_number()
    used, unused = (asked.use_history(0, index, *span) for index in (1, 0))
    assert unused() == []
    assert counting.turns == [["eth_call", "eth_call"]]
    assert [use.ordinal for use in used()] == [1, 2]
    assert counting.turns[1:] == [["eth_getLogs"]]


@pytest.mark.usefixtures("asked")
def test_withdrawals_of_strangers_are_not_even_read(chain: Chain, counting: CountingConnection) -> None:
    """Any party may withdraw any leaf for its part: thousands of them would make every verification slow."""
    firm, bank = chain.parties["enterprise"].no, chain.parties["bank"].no
    for index in (0, 1, 2):
        chain.acting("bank").withdraw(0, index)
    asked = Questions(ChainClient(counting, chain.deployment), chain.reader.block_number())
    span = chain.reader.deploy_block, chain.reader.block_number()
    strange, own = (asked.withdrawal_history(0, 1, *span, (party,)) for party in (firm, bank))
    assert strange() == []
    assert counting.turns == [["eth_call", "eth_call"]]
    assert [each.party_no for each in own()] == [bank]
    assert counting.turns[1:] == [["eth_getLogs"]]
