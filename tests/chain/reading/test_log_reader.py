"""Tests the reader of the certificate log, also with a node that hides events: the reader must notice this."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ledger.chain.reading.contract_state import Hold, LeafStatus
from ledger.chain.sending import calls
from ledger.chain.sending.sender import Receipt
from ledger.errors import ChainUnavailable, Conflict
from ledger.proof.bundle import Position
from ledger.proof.facts import HoldFact, StatusFact, UseFact, WithdrawalFact
from tests.support.chain.deployed import Chain
from tests.support.chain.hiding_nodes import reader_without
from tests.support.chain.reads import next_seq, state_of, status_history, use_history, uses_of
from tests.support.chain.scripted_ledger import (
    CONSENT,
    OTHER_CONSENT,
    OTHER_REQUEST,
    REQUEST,
    ROOT,
)


def place(chain: Chain, index: int, batch: int = 0) -> Position:
    """Return the position of a leaf in the issuer's log."""
    return Position(chain.parties["issuer"].no, batch, index)


def change(receipt: Receipt, status: str, reason: str) -> StatusFact:
    return StatusFact(status, reason, receipt.time)


def test_the_status_history_of_a_certificate_has_reasons_and_times(chain: Chain) -> None:
    chain.client.send(calls.anchor(0, 200, ROOT))
    receipts = []
    for call in (
        calls.suspend(0, 7, "investigation"),
        calls.resume(0, 7),
        calls.revoke_many(0, [6, 7, 135], "key_compromise"),
    ):
        chain.node.advance(100)
        receipts.append(chain.client.send(call))
    suspended, resumed, revoked = receipts
    latest = chain.reader.block_number()
    history = [
        change(suspended, "suspended", "investigation"),
        change(resumed, "active", "lifted"),
        change(revoked, "revoked", "key_compromise"),
    ]
    assert resumed.time >= suspended.time + 100
    for index, changes in ((7, history), (6, history[2:]), (135, history[2:]), (134, [])):
        assert status_history(chain.reader, place(chain, index), block=latest) == changes
    for receipt, expected in zip(receipts, history, strict=True):
        state = LeafStatus(receipt.block_number, expected.status, expected.at, expected.reason)
        assert chain.reader.status_of(place(chain, 7), block=receipt.block_number) == state
        assert state_of(chain.reader, place(chain, 7), block=receipt.block_number) == expected.status
    before = suspended.block_number - 1
    assert chain.reader.status_of(place(chain, 7), block=before) == LeafStatus(before, "active", None, None)


def test_the_logs_of_two_issuers_are_independent(chain: Chain) -> None:
    """Both issuers use the same batch numbers and the same root, but each changes only its own log."""
    own, other = chain.parties["issuer"].no, chain.parties["other_issuer"].no
    rival = chain.acting("other_issuer")
    chain.client.send(calls.anchor(0, 2, ROOT))
    chain.client.send(calls.revoke(0, 0, "fraud"))
    assert chain.reader.batch_count(other) == next_seq(chain.reader, other) == 0
    receipt = rival.send(calls.anchor(0, 2, ROOT))
    rival.send(calls.suspend(0, 1, "court"))
    assert (chain.reader.batch_count(own), next_seq(chain.reader, own)) == (1, 2)
    assert (chain.reader.batch_count(other), next_seq(chain.reader, other)) == (1, 2)
    assert chain.reader.commitment(own, 0) != chain.reader.commitment(other, 0)
    states = {
        (issuer, index): state_of(chain.reader, Position(issuer, 0, index))
        for issuer in (own, other)
        for index in (0, 1)
    }
    assert states == {(own, 0): "revoked", (own, 1): "active", (other, 0): "active", (other, 1): "suspended"}
    latest = chain.reader.block_number()
    assert status_history(chain.reader, Position(own, 0, 1), block=latest) == []
    assert [each.status for each in status_history(chain.reader, Position(other, 0, 1), block=latest)] == ["suspended"]
    anchored = chain.reader.anchored(other, 0)
    assert anchored is not None and anchored.tx_hash == receipt.tx_hash


def test_a_superseded_leaf_counts_as_revoked(chain: Chain) -> None:
    chain.client.send(calls.anchor(0, 2, ROOT))
    receipt = chain.client.send(calls.supersede(0, 0, 0, 1))
    history = status_history(chain.reader, place(chain, 0), block=receipt.block_number)
    assert history == [change(receipt, "superseded", "superseded")]
    assert state_of(chain.reader, place(chain, 0)) == "revoked"
    assert chain.reader.status_of(place(chain, 0)).state == "superseded"


def test_the_history_of_uses_for_a_consumer_contains_only_the_uses_by_that_consumer(chain: Chain) -> None:
    bank, other = chain.parties["bank"].no, chain.parties["other_bank"].no
    first = chain.acting("bank").send(calls.record_use(REQUEST, 1))
    chain.node.advance(60)
    strange = chain.acting("other_bank").send(calls.record_use(REQUEST, 1))
    second = chain.acting("bank").send(calls.record_use(REQUEST, 2))
    chain.acting("bank").send(calls.record_use(OTHER_REQUEST, 1))
    latest, uses = chain.reader.block_number(), [UseFact(1, first.time), UseFact(2, second.time)]
    assert use_history(chain.reader, bank, REQUEST, block=latest) == uses
    assert use_history(chain.reader, bank, REQUEST, block=first.block_number) == uses[:1]
    assert use_history(chain.reader, other, REQUEST, block=latest) == [UseFact(1, strange.time)]
    assert use_history(chain.reader, other, OTHER_REQUEST, block=latest) == []
    assert [uses_of(chain.reader, bank, each) for each in (REQUEST, OTHER_REQUEST, CONSENT)] == [2, 1, 0]
    assert uses_of(chain.reader, bank, REQUEST, block=first.block_number - 1) == 0


def test_a_withdrawal_counts_only_for_the_party_that_made_it(chain: Chain) -> None:
    firm, bank = chain.parties["enterprise"].no, chain.parties["bank"].no
    first = chain.acting("enterprise").send(calls.withdraw(CONSENT))
    chain.node.advance(60)
    second = chain.acting("bank").send(calls.withdraw(CONSENT))
    read, never = chain.reader.withdrawn_at, WithdrawalFact(0, 0)
    assert (read(firm, CONSENT), read(bank, CONSENT)) == (WithdrawalFact(first.time, 0), WithdrawalFact(second.time, 0))
    assert read(bank, CONSENT, block=first.block_number) == never
    assert read(firm, OTHER_CONSENT) == read(0, CONSENT) == never


def test_a_withdrawal_by_a_reported_key_is_recorded_separately(chain: Chain) -> None:
    firm, acting = chain.parties["enterprise"], chain.acting("enterprise")
    before = acting.send(calls.withdraw(CONSENT))
    chain.acting("founder").send(calls.report(firm.no, firm.account))
    chain.node.advance(60)
    for statement in (CONSENT, OTHER_CONSENT):
        acting.send(calls.withdraw(statement))
        with pytest.raises(Conflict) as caught:
            acting.send(calls.withdraw(statement))
        assert caught.value.code == "LOG_ALREADY_WITHDRAWN"
    both, late = (chain.reader.withdrawn_at(firm.no, each) for each in (CONSENT, OTHER_CONSENT))
    assert both.at == both.first == before.time and both.reported_at >= before.time + 60
    assert late.at == 0 and late.first == late.reported_at >= before.time + 60


def test_the_history_of_holds_has_role_and_reason_and_time_of_each_hold(chain: Chain) -> None:
    authority, supervisor = chain.acting("founder"), chain.acting("supervisor")
    held = authority.send(calls.hold([CONSENT, REQUEST], "court"))
    chain.node.advance(60)
    also = supervisor.send(calls.hold([CONSENT], "investigation"))
    lifted = chain.decide(calls.lift("authority", [CONSENT]))
    lift = calls.lift("supervisor", [CONSENT], "expired_basis")
    free = chain.decide(lift, "supervisor", "other_supervisor")
    by, other = chain.parties["founder"].no, chain.parties["supervisor"].no
    history = [
        HoldFact(("authority",), "court", held.time, by),
        HoldFact(("authority", "supervisor"), "investigation", also.time, other),
        HoldFact(("supervisor",), "lifted", lifted.time, by),
        HoldFact((), "expired_basis", free.time, other),
    ]
    latest = chain.reader.block_number()
    assert chain.reader.hold_history(CONSENT, block=latest) == history
    for count, receipt in enumerate((held, also, lifted, free), start=1):
        assert chain.reader.hold_history(CONSENT, block=receipt.block_number) == history[:count]
        assert chain.reader.hold_of(CONSENT, block=receipt.block_number) == Hold(history[count - 1].offices, count)
    assert chain.reader.hold_history(REQUEST, block=latest) == history[:1]
    assert chain.reader.hold_of(OTHER_REQUEST) == Hold((), 0)
    assert chain.reader.hold_history(OTHER_REQUEST, block=latest) == []


def status_without(*hidden: int) -> Callable[[Chain], None]:
    """Return a function that suspends, resumes and again suspends a leaf. It then reads the leaf's history from a node
    that hides the events with these numbers.
    """

    def read(chain: Chain) -> None:
        moves = (calls.suspend(0, 0, "court"), calls.resume(0, 0), calls.suspend(0, 0, "fraud"))
        events = [event for move in moves for event in chain.client.send(move).events]
        reader = reader_without(chain, *(events[number] for number in hidden))
        status_history(reader, place(chain, 0), block=chain.reader.block_number())

    return read


def uses_without(hidden: int) -> Callable[[Chain], None]:
    def read(chain: Chain) -> None:
        receipts = [chain.acting("bank").send(calls.record_use(REQUEST, ordinal)) for ordinal in (1, 2, 3)]
        events = [event for receipt in receipts for event in receipt.events]
        reader = reader_without(chain, events[hidden])
        use_history(reader, chain.parties["bank"].no, REQUEST, block=chain.reader.block_number())

    return read


def holds_without(*hidden: int) -> Callable[[Chain], None]:
    """Return a function that sets, lifts and again sets a hold on a statement. It then reads the holds from a node that
    hides the events with these numbers. The contract counts all changes of holds, so the hidden events are noticed,
    even if a hold and its end are both hidden.
    """

    def read(chain: Chain) -> None:
        authority = chain.acting("founder")
        receipts = [authority.send(calls.hold([CONSENT], "court")), chain.decide(calls.lift("authority", [CONSENT]))]
        receipts.append(authority.send(calls.hold([CONSENT], "fraud")))
        events = [event for receipt in receipts for event in receipt.named("Held")]
        reader = reader_without(chain, *(events[number] for number in hidden))
        reader.hold_history(CONSENT, block=chain.reader.block_number())

    return read


@pytest.mark.parametrize(
    ("code", "read"),
    [
        ("STATUS_HISTORY_INCOMPLETE", status_without(2)),
        ("STATUS_HISTORY_INCOMPLETE", status_without(0, 1, 2)),
        ("STATUS_HISTORY_INCOMPLETE", status_without(0, 2)),
        ("STATUS_HISTORY_INCOMPLETE", status_without(0)),
        ("STATUS_HISTORY_INCOMPLETE", status_without(1)),
        ("USE_HISTORY_INCOMPLETE", uses_without(0)),
        ("USE_HISTORY_INCOMPLETE", uses_without(1)),
        ("USE_HISTORY_INCOMPLETE", uses_without(2)),
        ("HOLD_HISTORY_INCOMPLETE", holds_without(0)),
        ("HOLD_HISTORY_INCOMPLETE", holds_without(2)),
        ("HOLD_HISTORY_INCOMPLETE", holds_without(0, 1)),
        ("HOLD_HISTORY_INCOMPLETE", holds_without(0, 1, 2)),
    ],
)
def test_a_node_that_hides_an_event_of_a_history_is_noticed(
    chain: Chain, code: str, read: Callable[[Chain], None]
) -> None:
    chain.client.send(calls.anchor(0, 1, ROOT))
    with pytest.raises(ChainUnavailable) as caught:
        read(chain)
    assert caught.value.code == code


def test_a_suspension_hidden_together_with_its_end_is_not_noticed(chain: Chain) -> None:
    """The leaf's current state does not show that events are missing. Only the follower can notice this, because it
    compares a hash over all events with the contract's hash.
    """
    chain.client.send(calls.anchor(0, 2, ROOT))
    suspended, resumed = chain.client.send(calls.suspend(0, 0, "court")), chain.client.send(calls.resume(0, 0))
    paused = chain.client.send(calls.suspend(0, 1, "court"))
    latest = chain.client.send(calls.revoke(0, 1, "fraud")).block_number
    blind = reader_without(chain, *suspended.events, *resumed.events, *paused.events)
    assert status_history(blind, place(chain, 0), block=latest) == []
    assert [each.status for each in status_history(blind, place(chain, 1), block=latest)] == ["revoked"]
    for index in (0, 1):
        assert len(status_history(chain.reader, place(chain, index), block=latest)) == 2


def test_the_anchor_of_a_batch_is_read(chain: Chain) -> None:
    receipt, issuer = chain.client.send(calls.anchor(0, 9, ROOT)), chain.parties["issuer"].no
    found = chain.reader.anchored(issuer, 0)
    assert found is not None
    assert (found.issuer, found.batch, found.first_seq, found.size, found.root) == (issuer, 0, 0, 9, ROOT.hex())
    assert (found.at, found.tx_hash) == (receipt.time, receipt.tx_hash)
    assert (found.block_number, found.gas_used) == (receipt.block_number, receipt.gas_used)
    assert chain.reader.batch_count(issuer) == 1
    assert chain.reader.batch_count(issuer, block=receipt.block_number - 1) == 0
    assert chain.reader.commitment(issuer, 0, block=receipt.block_number - 1) is None
    assert chain.reader.anchored(issuer, 1) is chain.reader.commitment(issuer, 1) is None
