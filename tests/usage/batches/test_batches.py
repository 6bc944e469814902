"""Batches of statements: what is recorded, refused and reported, and how many queries and transactions it takes."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, select

from ledger.certificates.tables import Operation, OperationItem
from ledger.errors import Forbidden, InvalidInput
from ledger.proof.acts import sign_act
from ledger.proof.jws import sign_entry
from ledger.store.tables import Sealed
from ledger.usage.batches.batches import ALL_OR_NONE, MAX_ITEMS, PART, PER_ITEM
from ledger.usage.batches.runner import BatchRunner
from ledger.usage.tables import AccessRequest
from tests.support.actors.consents import Consent
from tests.support.actors.pilots import Pilot
from tests.support.ledgers.small_ledger import counting
from tests.usage.batches.statements import Items, authorizations_of, provisions_of, requests_of, spoiled


def handled(pilot: Pilot, party: str, kind: str, mode: str, items: Items) -> dict[str, Any]:
    """Store a batch, handle all its items, and return the operation with the items."""
    ledger = pilot.ledger
    identifier = ledger.usage.batches.take_in(pilot.actor(party), kind, mode, items)
    while ledger.usage.batch_runner.step():
        pass
    return described(pilot, party, identifier)


def described(pilot: Pilot, party: str, identifier: str) -> dict[str, Any]:
    operations = pilot.ledger.certificates.operations
    found = operations.get(identifier, party)
    return found | {"items": operations.items(identifier, party, 0, MAX_ITEMS, None)}


def records_of(operation: dict[str, Any]) -> list[str]:
    return [record for item in operation["items"] for record in item["records"]]


def contents(pilot: Pilot) -> int:
    """Return the number of stored items whose content or subject is still stored."""
    query = select(func.count()).select_from(OperationItem)
    with pilot.ledger.database.read() as session:
        kept = OperationItem.sealed_id.is_not(None) | OperationItem.party_id.is_not(None)
        return session.scalars(query.where(kept)).one()


def recorded(pilot: Pilot, items: Items) -> int:
    ids = [item["statement"]["id"] for item in items]
    with pilot.ledger.database.read() as session:
        return session.scalars(select(func.count()).where(AccessRequest.id.in_(ids))).one()


def test_certificates_are_issued_from_batches_of_signed_statements(pilot: Pilot) -> None:
    ledger, cast = pilot.ledger, pilot.cast
    asked = handled(pilot, cast.bank, "requests", ALL_OR_NONE, requests_of(pilot, 3))
    assert (asked["state"], asked["total"], asked["done"], asked["refused"]) == ("done", 3, 3, 0)
    given = authorizations_of(pilot, records_of(asked))
    consents = []
    for item in given:
        subject = item["statements"][0]["subject"]
        consents += records_of(handled(pilot, subject, "authorizations", PER_ITEM, [item]))
    answers = provisions_of(pilot, consents)
    supplied = handled(pilot, cast.provider, "provisions", PER_ITEM, answers)
    assert [item["outcome"] for item in supplied["items"]] == ["recorded"] * 3
    wanted = [{"request": request} for request in records_of(asked)]
    issued = handled(pilot, ledger.party, "certificates", ALL_OR_NONE, wanted)
    assert issued["state"] == "pending"
    ledger.anchoring.flush()
    issued = described(pilot, ledger.party, issued["id"])
    assert issued["state"] == "done"
    assert len({ledger.certificates.bundles.build(number).to_bytes() for number in records_of(issued)}) == 3
    again = handled(pilot, ledger.party, "certificates", PER_ITEM, wanted)
    assert records_of(again) == records_of(issued)
    assert contents(pilot) == 0


def test_a_batch_in_the_mode_per_item_records_all_items_except_the_refused_items(pilot: Pilot) -> None:
    items = requests_of(pilot, 9)
    items[4] = spoiled(items[4])
    operation = handled(pilot, pilot.cast.bank, "requests", PER_ITEM, items)
    assert (operation["state"], operation["done"], operation["refused"]) == ("done", 9, 1)
    assert [item["outcome"] for item in operation["items"]] == ["recorded"] * 4 + ["refused"] + ["recorded"] * 4
    error = operation["items"][4]["error"]
    assert (error["code"], error["where"]) == ("NOTE_DIFFERS", "item 5")
    assert recorded(pilot, items) == 8
    assert contents(pilot) == 0


def test_a_batch_in_the_mode_all_or_none_records_nothing_if_one_item_is_refused(pilot: Pilot) -> None:
    items = requests_of(pilot, 3)
    operation = handled(pilot, pilot.cast.bank, "requests", ALL_OR_NONE, [*items[:2], spoiled(items[2])])
    assert (operation["state"], operation["error"]["code"]) == ("refused", "NOTE_DIFFERS")
    assert operation["error"]["where"] == "item 3"
    assert {item["outcome"] for item in operation["items"]} == {"not_recorded"}
    assert (recorded(pilot, items), contents(pilot)) == (0, 0)


def test_a_repeated_batch_records_nothing_twice(pilot: Pilot) -> None:
    items = requests_of(pilot, 3)
    first = handled(pilot, pilot.cast.bank, "requests", PER_ITEM, items)
    second = handled(pilot, pilot.cast.bank, "requests", ALL_OR_NONE, items)
    assert records_of(first) == records_of(second)


def test_two_simultaneous_equal_batches_record_every_statement_once(pilot: Pilot) -> None:
    ledger, bank, items = pilot.ledger, pilot.actor(pilot.cast.bank), requests_of(pilot, 6)
    made: list[str] = []
    failures: list[BaseException] = []
    gate = threading.Barrier(2)

    def send() -> None:
        try:
            gate.wait()
            made.append(ledger.usage.batches.take_in(bank, "requests", PER_ITEM, items))
            while ledger.usage.batch_runner.step():
                pass
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    while ledger.usage.batch_runner.step():
        pass
    first, second = (described(pilot, bank.party, each) for each in made)
    assert records_of(first) == records_of(second) == [item["statement"]["id"] for item in items]
    assert recorded(pilot, items) == 6
    assert contents(pilot) == 0


def test_only_one_of_several_services_handles_batches_at_a_time(pilot: Pilot, monkeypatch: pytest.MonkeyPatch) -> None:
    runner, meeting, met = pilot.ledger.usage.batch_runner, threading.Barrier(2), []
    pilot.ledger.usage.batches.take_in(pilot.actor(pilot.cast.bank), "requests", PER_ITEM, requests_of(pilot, 1))
    handle = BatchRunner._handle

    def meets(self: BatchRunner, row: Operation) -> None:
        with suppress(threading.BrokenBarrierError):
            meeting.wait(1)
            met.append(row.id)
        handle(self, row)

    monkeypatch.setattr(BatchRunner, "_handle", meets)
    other = replace(runner)
    threads = [threading.Thread(target=each.step) for each in (runner, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not met
    monkeypatch.undo()
    while runner.step():
        pass


def test_a_batch_with_statements_of_a_party_other_than_the_caller_is_refused_and_not_stored(pilot: Pilot) -> None:
    items = requests_of(pilot, 2)
    for party in (pilot.cast.other_bank, pilot.cast.provider):
        with pytest.raises(Forbidden):
            pilot.ledger.usage.batches.take_in(pilot.actor(party), "requests", PER_ITEM, items)
    with pytest.raises(InvalidInput, match="BATCH_SIZE"):
        pilot.ledger.usage.batches.take_in(pilot.actor(pilot.cast.bank), "requests", PER_ITEM, [])
    assert contents(pilot) == 0


def test_an_item_is_refused_and_erased_if_the_subject_is_erased_before_the_item_is_handled(pilot: Pilot) -> None:
    ledger, items = pilot.ledger, requests_of(pilot, 2)
    bank = pilot.actor(pilot.cast.bank)
    identifier = ledger.usage.batches.take_in(bank, "requests", PER_ITEM, items)
    subject = items[0]["statement"]["subject"]
    ledger.erasure.party(pilot.actor(subject), subject, "subject_request")
    with ledger.database.read() as session:
        query = select(Sealed.wrapped_key).join(OperationItem, OperationItem.sealed_id == Sealed.id)
        assert [key is None for key in session.scalars(query.order_by(OperationItem.number))] == [True, False]
    while ledger.usage.batch_runner.step():
        pass
    found = described(pilot, bank.party, identifier)["items"]
    assert [item["outcome"] for item in found] == ["refused", "recorded"]
    assert found[0]["error"]["code"] == "SEALED_ERASED"


def test_a_batch_of_withdrawals_ends_consents_and_revokes_the_certificates_that_rest_on_them(pilot: Pilot) -> None:
    ledger, consent = pilot.ledger, Consent(pilot)
    draft = consent.draft()
    assert draft.message is not None
    item: dict[str, Any] = {
        "statement": sign_entry(draft.entry, consent.signer),
        "act": sign_act(draft.message, consent.signer).hex(),
    }
    subject = item["statement"]["party"]
    with pytest.raises(InvalidInput, match="BATCH_MODE"):
        ledger.usage.batches.take_in(pilot.actor(subject), "withdrawals", ALL_OR_NONE, [item])
    with pytest.raises(Forbidden):
        ledger.usage.batches.take_in(pilot.actor(pilot.cast.bank), "withdrawals", PER_ITEM, [item])
    unsigned = item | {"statement": draft.entry}
    operation = handled(pilot, subject, "withdrawals", PER_ITEM, [unsigned, item])
    assert [each["outcome"] for each in operation["items"]] == ["refused", "recorded"]
    again = handled(pilot, subject, "withdrawals", PER_ITEM, [item])
    assert records_of(again) == records_of(operation) == [draft.entry["id"]]
    assert ledger.verification.status(consent.number)["state"] == "revoked"
    assert len(consent.recorded()) == 1


def test_a_part_of_twelve_items_takes_as_many_sql_statements_as_a_part_of_one_item(pilot: Pilot) -> None:
    """The first batch is not counted, because it also reads what the service remembers afterwards."""
    handled(pilot, pilot.cast.bank, "requests", PER_ITEM, requests_of(pilot, 1))
    counts = {}
    for count in (1, 12):
        items = requests_of(pilot, count)
        with counting(pilot.ledger.database.engine) as sent:
            handled(pilot, pilot.cast.bank, "requests", PER_ITEM, items)
            counts[count] = len(sent)
    assert counts[12] == counts[1]


def test_a_write_transaction_handles_at_most_one_part_of_a_batch_in_the_mode_per_item(
    pilot: Pilot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.usage.batches.batches.PART", 4)
    monkeypatch.setattr("ledger.usage.batches.runner.PART", 4)
    ledger, items = pilot.ledger, requests_of(pilot, 10)
    sizes: list[int] = []
    kinds = dict(ledger.usage.batches.kinds)
    record = kinds["requests"].record

    def noting(actor: Any, some: Any) -> list[list[str]]:
        sizes.append(len(some))
        return record(actor, some)

    monkeypatch.setattr(ledger.usage.batches, "kinds", kinds | {"requests": replace(kinds["requests"], record=noting)})
    with counting(ledger.database.engine) as sent:
        operation = handled(pilot, pilot.cast.bank, "requests", PER_ITEM, items)
    assert sizes == [4, 4, 2]
    assert operation["done"] == 10
    written = "INSERT INTO operation_item", "INSERT INTO access_request", "DELETE FROM sealed"
    assert [len([each for each in sent if each.startswith(text)]) for text in written] == [3, 3, 3]
    assert PART <= 100
