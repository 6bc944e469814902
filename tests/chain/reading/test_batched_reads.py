"""Tests how many requests batched reads need, and that each read gets its own answer."""

from __future__ import annotations

import pytest

from ledger.chain.contracts.deployment import CERTIFICATE_LOG, PARTY_REGISTRY
from ledger.chain.reading.batched_reads import BatchedReads
from ledger.chain.reading.contract_state import Hold
from ledger.chain.sending import calls
from ledger.chain.sending.client import ChainClient
from ledger.errors import NotFound
from ledger.proof.bundle import Position
from ledger.proof.facts import WithdrawalFact
from tests.chain.reading.counted_facts import CountingConnection
from tests.support.chain.deployed import SCENARIO, Chain
from tests.support.chain.scripted_ledger import CONSENT, OTHER_REQUEST, REQUEST, ROOT


@pytest.fixture
def counting(chain: Chain) -> CountingConnection:
    return CountingConnection(chain.node.url)


@pytest.fixture
def asked(chain: Chain, counting: CountingConnection) -> BatchedReads:
    """Return batched reads of the state at one block. At this block, the bank has used a request twice, and leaf 2 of
    batch 0 is suspended.
    """
    chain.client.send(calls.anchor(0, 9, ROOT))
    for ordinal in (1, 2):
        chain.acting("bank").send(calls.record_use(REQUEST, ordinal))
    chain.client.send(calls.suspend(0, 2, "court"))
    return BatchedReads(ChainClient(counting, chain.deployment), chain.reader.block_number())


def test_reads_collected_before_the_first_answer_are_sent_in_one_request(
    chain: Chain, asked: BatchedReads, counting: CountingConnection
) -> None:
    bank, issuer = chain.parties["bank"], chain.parties["issuer"]
    last = chain.reader.block_number()
    account, stranger = asked.account(bank.account), asked.account("0x" + "ee" * 20)
    party, nobody = asked.party(issuer.no), asked.party(99)
    period, none = asked.accreditation(issuer.no, SCENARIO), asked.accreditation(issuer.no, "S99")
    anchored, missing = asked.commitment(issuer.no, 0), asked.commitment(bank.no, 0)
    batches, no_batches = asked.batch_count(issuer.no), asked.batch_count(bank.no)
    paused, fresh = (
        asked.status_history(Position(issuer.no, 0, index), chain.reader.deploy_block, last) for index in (2, 3)
    )
    uses, no_uses = asked.uses(bank.no, REQUEST), asked.uses(issuer.no, REQUEST)
    withdrawn, hold = asked.withdrawn_at(bank.no, CONSENT), asked.hold(CONSENT)
    heads = [asked.head(contract) for contract in (PARTY_REGISTRY, CERTIFICATE_LOG)]
    assert counting.turns == []
    assert anchored() == chain.reader.commitment(issuer.no, 0)
    record = account()
    assert record is not None and record.party_no == bank.no
    assert party().id == issuer.id
    assert (stranger(), missing(), none(), fresh()) == (None, None, (0, 0), [])
    assert (batches(), no_batches(), uses(), no_uses()) == (1, 0, 2, 0)
    assert (withdrawn(), hold()) == (WithdrawalFact(0, 0), Hold((), 0))
    assert [head() for head in heads] == [chain.reader.head(contract) for contract in (PARTY_REGISTRY, CERTIFICATE_LOG)]
    assert period() == chain.reader.accreditation(issuer.no, SCENARIO)
    assert [change.status for change in paused()] == ["suspended"]
    with pytest.raises(NotFound, match="PARTY_UNKNOWN"):
        nobody()
    assert len(counting.turns) == 1


def test_a_read_that_is_asked_for_twice_is_sent_once(
    chain: Chain, asked: BatchedReads, counting: CountingConnection
) -> None:
    bank = chain.parties["bank"].no
    first, second = asked.uses(bank, REQUEST), asked.uses(bank, REQUEST)
    assert (first(), second()) == (2, 2)
    assert counting.turns == [["eth_call"]]


def test_events_are_read_only_if_the_counter_of_events_is_not_zero(
    chain: Chain, asked: BatchedReads, counting: CountingConnection
) -> None:
    span, bank = (chain.reader.deploy_block, chain.reader.block_number()), chain.parties["bank"].no
    used, unused = asked.uses(bank, REQUEST), asked.uses(bank, OTHER_REQUEST)
    hold = asked.hold(CONSENT)
    assert asked.use_history(bank, OTHER_REQUEST, unused(), *span)() == []
    assert asked.hold_history(CONSENT, hold(), *span)() == []
    assert counting.turns == [["eth_call"] * 3]
    assert [use.ordinal for use in asked.use_history(bank, REQUEST, used(), *span)()] == [1, 2]
    assert counting.turns[1:] == [["eth_getLogs"]]
