"""Tests that the facts (chain data) for a bundle cover everything that the bundle names, at one block, and need few
requests.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from ledger.chain.contracts.deployment import CERTIFICATE_LOG, PARTY_REGISTRY
from ledger.chain.reading.facts import collect_facts
from ledger.chain.sending import calls
from ledger.chain.sending.sender import Receipt
from ledger.errors import ChainUnavailable
from ledger.proof.acts import sign_act, withdrawals_message
from ledger.proof.bundle import Position
from ledger.proof.facts import Heads, HoldFact, LogFact, StatusFact, UseFact, WithdrawalFact
from ledger.proof.facts_file import parse_facts
from tests.chain.consented import BANK, FIRM, ISSUER, PROVIDER, Consented, made, signer_of
from tests.chain.reading.counted_facts import counted, with_claims
from tests.support.chain.deployed import ACCREDITED_UNTIL, PARTIES, SCENARIO, Chain, TestParty
from tests.support.chain.hiding_nodes import reader_dating, reader_numbering, reader_without
from tests.support.chain.reads import uses_of
from tests.support.chain.scripted_ledger import ROOT, digest, signed_uses

NEVER = WithdrawalFact(0, 0)
STRANGERS_WRITE = 3_000
AT_ONCE = 1_000


def test_the_facts_of_a_certificate_without_later_events_are_complete(chain: Chain, consented: Consented) -> None:
    facts, block = consented.facts(), chain.reader.latest()
    statements = {each: consented.statement(each) for each in ("FIRST", "SECOND", "THE BANKS", "PROVISION")}
    held = {consented.certificate, consented.request, *statements.values()} - {statements["THE BANKS"]}
    commitment = chain.reader.commitment(ISSUER.no, 0)
    assert commitment is not None
    assert facts.chain == chain.deployment.chain == chain.reader.chain
    assert (facts.block, facts.block_hash, facts.block_time) == (block.number, block.hash, block.time)
    assert facts.heads == Heads(chain.reader.head(PARTY_REGISTRY), chain.reader.head(CERTIFICATE_LOG))
    assert facts.logs == {ISSUER.no: LogFact(1, commitment)}
    assert facts.anchors == {(ISSUER.no, 0): commitment}
    assert facts.status == {consented.bundle.position: ()}
    assert facts.holds == dict.fromkeys(held, ())
    assert facts.uses == {(BANK.id, consented.request): ()}
    subject = {"FIRST": FIRM.id, "SECOND": FIRM.id, "THE BANKS": BANK.id, "PROVISION": PROVIDER.id}
    assert facts.withdrawals == {(subject[name], each): NEVER for name, each in statements.items()}
    assert {fact.party for fact in facts.accounts.values()} == {FIRM.id, BANK.id, PROVIDER.id, ISSUER.id}
    assert facts.parties[ISSUER.id].accreditations == {SCENARIO: (0, ACCREDITED_UNTIL)}
    assert facts.parties[BANK.id].accreditations == {}
    assert parse_facts(facts.to_bytes()) == facts


def live_on(chain: Chain, consented: Consented) -> list[Receipt]:
    """Record a use, withdraw an authorization and the provision, set and lift a hold, and revoke the certificate."""
    chain.node.advance(60)
    place = consented.bundle.position
    return [
        chain.acting("bank").send(calls.record_use(consented.request, 1)),
        chain.acting("enterprise").send(calls.withdraw(consented.statement("FIRST"))),
        chain.acting("provider").send(calls.withdraw(consented.statement("PROVISION"))),
        chain.acting("founder").send(calls.hold([consented.certificate, consented.request], "court")),
        chain.decide(calls.lift("authority", [consented.request])),
        chain.client.send(calls.revoke(place.batch, place.index, "fraud")),
    ]


def test_facts_show_events_after_the_issue_of_a_certificate_with_times(chain: Chain, consented: Consented) -> None:
    before = consented.facts()
    used, withdrawn, taken_back, held, lifted, revoked = live_on(chain, consented)
    facts, office = consented.facts(), PARTIES["founder"].no
    assert facts.uses == {(BANK.id, consented.request): (UseFact(1, used.time),)}
    assert facts.uses_of(BANK.id, consented.request) == 1
    assert facts.withdrawals == {
        **before.withdrawals,
        (FIRM.id, consented.statement("FIRST")): WithdrawalFact(withdrawn.time, 0),
        (PROVIDER.id, consented.statement("PROVISION")): WithdrawalFact(taken_back.time, 0),
    }
    hold = HoldFact(("authority",), "court", held.time, office)
    assert facts.holds == {
        **before.holds,
        consented.certificate: (hold,),
        consented.request: (hold, HoldFact((), "lifted", lifted.time, office)),
    }
    assert facts.status == {consented.bundle.position: (StatusFact("revoked", "fraud", revoked.time),)}
    assert facts.block > before.block and facts.heads != before.heads
    assert parse_facts(facts.to_bytes()) == facts


def test_anchoring_the_evidence_again_changes_nothing(chain: Chain, consented: Consented) -> None:
    """Uses and withdrawals are counted for the signed text, so they also count for a copy of the text in another
    issuer's log.
    """
    live_on(chain, consented)
    before = consented.facts()
    (anchor,) = consented.bundle.anchors
    rival = PARTIES["other_issuer"]
    chain.acting("other_issuer").send(calls.anchor(0, anchor.size, anchor.root))
    elsewhere = replace(
        consented.bundle,
        position=replace(consented.bundle.position, issuer=rival.no),
        evidence=tuple(
            replace(item, position=replace(item.position, issuer=rival.no)) for item in consented.bundle.evidence
        ),
        anchors=(replace(anchor, issuer=rival.no, at=chain.reader.latest().time),),
    )
    facts = collect_facts(chain.reader, elsewhere)
    assert (facts.uses, facts.withdrawals, facts.holds) == (before.uses, before.withdrawals, before.holds)
    assert set(facts.logs) == {rival.no}


def test_reading_facts_takes_two_requests_and_at_most_one_further_request_for_histories(
    chain: Chain, consented: Consented
) -> None:
    _, untouched = counted(chain, consented.bundle)
    assert len(untouched.turns) == 2
    # The contract does not count the status changes of a leaf, so the reader always asks for them. Only the issuer can
    # add such changes, so nobody else can make the answer long.
    assert [turn.count("eth_getLogs") for turn in untouched.turns] == [1, 0]
    live_on(chain, consented)
    _, touched = counted(chain, consented.bundle)
    assert [turn.count("eth_getLogs") for turn in touched.turns] == [1, 2, 1]


def test_records_of_other_parties_do_not_increase_the_requests_for_facts(fast_chain: Chain) -> None:
    """Another consumer recorded thousands of uses of the same request, and another party recorded thousands of
    withdrawals.
    """
    chain, consented = fast_chain, made(fast_chain)
    before, cheap = counted(chain, consented.bundle)
    stranger = PARTIES["other_bank"]
    named = [consented.request, consented.statement("FIRST"), consented.statement("PROVISION")]
    for start in range(1, STRANGERS_WRITE + 1, AT_ONCE):
        ordinals = range(start, start + AT_ONCE)
        receipt = chain.client.send(signed_uses(chain, "other_bank", [(consented.request, each) for each in ordinals]))
        assert len(receipt.named("Used")) == AT_ONCE
        withdrawn = [*named, *(digest(f"statement {each}") for each in ordinals)]
        message = withdrawals_message(chain.deployment.chain, stranger.account, withdrawn)
        signature = sign_act(message, signer_of(stranger))
        chain.client.send(calls.withdraw_for(stranger.account, withdrawn, signature))
    assert uses_of(chain.reader, stranger.no, consented.request) == STRANGERS_WRITE
    after, dear = counted(chain, consented.bundle)
    assert (after.uses, after.withdrawals, after.holds) == (before.uses, before.withdrawals, before.holds)
    assert dear.turns == cheap.turns
    assert dear.bytes == cheap.bytes


def test_withdrawals_by_other_parties_are_not_in_the_facts(chain: Chain, consented: Consented) -> None:
    for name in ("bank", "other_bank", "issuer", "founder"):
        chain.acting(name).send(calls.withdraw(consented.statement("FIRST")))
    assert consented.facts().withdrawals[FIRM.id, consented.statement("FIRST")] == NEVER


def hidden_use(chain: Chain, consented: Consented) -> Receipt:
    return chain.acting("bank").send(calls.record_use(consented.request, 1))


def hidden_hold(chain: Chain, consented: Consented) -> Receipt:
    return chain.acting("supervisor").send(calls.hold([consented.statement("PROVISION")], "investigation"))


def hidden_revocation(chain: Chain, consented: Consented) -> Receipt:
    place = consented.bundle.position
    return chain.client.send(calls.revoke(place.batch, place.index, "fraud"))


HIDING: dict[str, Callable[[Chain, Consented], Receipt]] = {
    "USE_HISTORY_INCOMPLETE": hidden_use,
    "HOLD_HISTORY_INCOMPLETE": hidden_hold,
    "STATUS_HISTORY_INCOMPLETE": hidden_revocation,
}


@pytest.mark.parametrize("code", HIDING)
def test_a_node_that_hides_an_event_is_noticed(chain: Chain, consented: Consented, code: str) -> None:
    hidden = HIDING[code](chain, consented)
    with pytest.raises(ChainUnavailable) as caught:
        collect_facts(reader_without(chain, *hidden.events), consented.bundle)
    assert caught.value.code == code


@pytest.mark.parametrize("name", ["StatusChanged", "Used", "Held"])
def test_a_node_that_shows_an_event_with_a_time_after_the_newest_block_is_noticed(
    chain: Chain, consented: Consented, name: str
) -> None:
    """The node shows the event with a false time after its newest block. A verifier would ignore an event of the
    future, so the node must be refused.
    """
    live_on(chain, consented)
    now = chain.reader.latest().time
    dated = collect_facts(reader_dating(chain, name, now), consented.bundle)
    assert dated.block_time == now
    with pytest.raises(ChainUnavailable) as caught:
        collect_facts(reader_dating(chain, name, now + 1), consented.bundle)
    assert caught.value.code == "EVENT_AFTER_BLOCK" and caught.value.hint


@pytest.mark.parametrize("number", [PARTIES["other_bank"].no, 99], ids=["another party's", "nobody's"])
@pytest.mark.parametrize("party", [BANK, FIRM, PROVIDER], ids=["consumer", "subject", "provider"])
def test_attack_a_node_that_gives_a_false_party_number_is_noticed(
    chain: Chain, consented: Consented, party: TestParty, number: int
) -> None:
    """With a false number, the bank's use and the withdrawals of the firm and the provider would be hidden."""
    live_on(chain, consented)
    with pytest.raises(ChainUnavailable) as caught:
        collect_facts(reader_numbering(chain, party.id, number), consented.bundle)
    assert caught.value.code == "PARTY_NUMBER_DIFFERS" and caught.value.hint
    assert caught.value.where == f"party {party.id}"


def test_unregistered_parties_are_not_in_the_facts(chain: Chain, consented: Consented) -> None:
    facts = collect_facts(chain.reader, with_claims(consented.bundle, consumer="ee" * 32))
    assert facts.uses == {}
    assert facts.withdrawals == consented.facts().withdrawals


@pytest.mark.parametrize(
    "place",
    [Position(ISSUER.no, 9, 1), Position(2**32, 0, 1), Position(2**53 - 1, 2**53 - 1, 1), Position(99, 0, 1)],
    ids=str,
)
def test_facts_contain_nothing_about_an_unknown_batch(chain: Chain, consented: Consented, place: Position) -> None:
    facts = collect_facts(chain.reader, replace(consented.bundle, position=place))
    assert facts.status == {}
    assert set(facts.anchors) == {(ISSUER.no, 0)}
    assert set(facts.logs) == {ISSUER.no}


def test_facts_contain_nothing_about_an_index_beyond_all_batches(chain: Chain, consented: Consented) -> None:
    beyond = replace(consented.bundle, position=Position(ISSUER.no, 0, 2**32))
    assert collect_facts(chain.reader, beyond).status == {}


def test_facts_contain_the_logs_of_the_issuers_in_the_bundle(chain: Chain, consented: Consented) -> None:
    rival = PARTIES["other_issuer"]
    for first in range(2):
        chain.acting("other_issuer").send(calls.anchor(first, 1, ROOT))
    assert set(consented.facts().logs) == {ISSUER.no}
    moved = consented.with_evidence(3, position=Position(rival.no, 0, 0))
    newest = chain.reader.commitment(rival.no, 1)
    assert newest is not None
    facts = collect_facts(chain.reader, moved)
    assert facts.logs[rival.no] == LogFact(2, newest)
    assert facts.anchors[rival.no, 0] == chain.reader.commitment(rival.no, 0) != newest
