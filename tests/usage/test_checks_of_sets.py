"""Recording a set: each statement is checked once, before the write transaction. Facts that can change after this check
are checked again in the transaction.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from types import FrameType
from typing import Any

import pytest
from sqlalchemy.orm import Session

from ledger.demo.actors import NOTE
from ledger.domain.entries import unsigned_body, validate_entry
from ledger.errors import Conflict, NotFound
from ledger.proof.jws import Jws
from ledger.proof.sdjwt import Disclosed
from ledger.provider.supply import Supply
from ledger.store.database import Database
from ledger.store.log import NewEntry
from ledger.store.sealing import encrypted
from ledger.usage.lookups import access_request
from ledger.usage.notices import Notices, notice_of
from ledger.usage.requests import Asked
from tests.support.actors.pilots import SUPPLIED, Pilot

MANY = 12
STATEMENT = {"validate_entry": 1, "unsigned_body": 1, "NewEntry.of": 1, "Jws.signed_by": 1, "encrypted": 1}
CLAIMS = 6
EACH = {
    "requests": STATEMENT,
    "authorizations": STATEMENT,
    "provisions": STATEMENT | {"Disclosed.decode": CLAIMS},
}
"""How often each watched function is called for one statement more."""
WATCHED: Sequence[Any] = (
    validate_entry,
    unsigned_body,
    NewEntry.of.__func__,  # type: ignore[attr-defined]
    Jws.signed_by,
    encrypted,
    Disclosed.decode.__func__,  # type: ignore[attr-defined]
)
Calls = Counter[str]


@contextmanager
def watching(patch: pytest.MonkeyPatch) -> Iterator[tuple[Calls, Calls]]:
    """Count the calls of the watched functions, separately outside and inside write transactions, and count the write
    transactions.
    """
    outside, inside, writing, write = Counter[str](), Counter[str](), [False], Database.write
    names = {function.__code__: function.__qualname__ for function in WATCHED}

    @contextmanager
    def noted(database: Database) -> Iterator[Session]:
        outside["transactions"] += 1
        with write(database) as session:
            writing[0] = True
            yield session
            writing[0] = False

    def profile(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call" and frame.f_code in names:
            (inside if writing[0] else outside)[names[frame.f_code]] += 1

    patch.setattr(Database, "write", noted)
    sys.setprofile(profile)
    try:
        yield outside, inside
    finally:
        sys.setprofile(None)
        patch.undo()


def asked(pilot: Pilot, count: int) -> list[Asked]:
    drafts = [pilot.ledger.usage.requests.draft(pilot.actors.request(pilot.firm()), NOTE) for _ in range(count)]
    return [Asked(pilot.actors.sign(draft.entry["consumer"], draft.entry), draft.note) for draft in drafts]


def consents(pilot: Pilot, requests: Sequence[str]) -> list[dict[str, Any]]:
    entries = [draft.entry for request in requests for draft in pilot.ledger.usage.authorizations.draft(request)]
    return [pilot.actors.sign(entry["subject"], entry) for entry in entries]


def supplies(pilot: Pilot, authorizations: Sequence[str]) -> list[Supply]:
    answers = [pilot.actors.draft(authorization, SUPPLIED) for authorization in authorizations]
    return [replace(answer, entry=pilot.actors.sign(answer.entry["provider"], answer.entry)) for answer in answers]


def work(pilot: Pilot, count: int, patch: pytest.MonkeyPatch) -> Mapping[str, tuple[Calls, Calls]]:
    """Record requests, authorizations and provisions of ``count`` firms; return the counted calls of each step."""
    usage, counted = pilot.ledger.usage, dict[str, tuple[Calls, Calls]]()
    requests = asked(pilot, count)
    with watching(patch) as counted["requests"]:
        requested = [row.id for row in usage.requests.submit(requests)]
    signed = consents(pilot, requested)
    with watching(patch) as counted["authorizations"]:
        authorized = [row.id for row in usage.authorizations.submit(signed)]
    answers = supplies(pilot, authorized)
    with watching(patch) as counted["provisions"]:
        usage.provisions.submit(answers)
    return counted


def test_each_statement_of_a_set_is_checked_once_and_outside_the_write_transaction(
    pilot: Pilot, monkeypatch: pytest.MonkeyPatch
) -> None:
    work(pilot, 1, monkeypatch)
    one, many = work(pilot, 1, monkeypatch), work(pilot, MANY, monkeypatch)
    for step, each in EACH.items():
        (outside, inside), (alone, _) = many[step], one[step]
        assert not inside, step
        assert outside == alone + Counter({name: times * (MANY - 1) for name, times in each.items()}), step
        assert outside["transactions"] == 1, step


def test_notices_that_differ_only_in_the_salt_are_rendered_once(pilot: Pilot, monkeypatch: pytest.MonkeyPatch) -> None:
    usage, notices, rendered = pilot.ledger.usage, Notices(), list[str]()
    (request,) = usage.requests.submit(asked(pilot, 1))
    (terms,) = consents(pilot, [request.id])
    scenario = pilot.ledger.scenarios.get(terms["scenario"])

    def rendering(*arguments: Any, **named: Any) -> dict[str, Any]:
        rendered.append(named["note"]["contact"])
        return notice_of(*arguments, **named)

    monkeypatch.setattr("ledger.usage.notices.notice_of", rendering)
    for contact, salt in (("a", "1"), ("a", "2"), ("b", "3")):
        given: dict[str, Any] = {
            "recipient": "r",
            "provider": "p",
            "note": {"contact": contact, "purpose_note": "", "salt": salt},
        }
        assert notices.of(scenario, terms, **given) == notice_of(scenario, terms, **given)
    assert rendered == ["a", "b"]


@contextmanager
def between(patch: pytest.MonkeyPatch, act: Callable[[], object]) -> Iterator[None]:
    """Call ``act`` once, just before the next write transaction begins. The statements have been checked by then."""
    write = Database.write

    @contextmanager
    def later(database: Database) -> Iterator[Session]:
        patch.undo()
        act()
        with write(database) as session:
            yield session

    patch.setattr(Database, "write", later)
    yield
    patch.undo()


def test_a_request_that_is_cancelled_after_the_checks_cannot_be_authorized(
    pilot: Pilot, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = pilot.ledger.usage
    (request,) = usage.requests.submit(asked(pilot, 1))
    signed = consents(pilot, [request.id])
    with between(monkeypatch, lambda: usage.requests.cancel(request.id)), pytest.raises(Conflict) as caught:
        usage.authorizations.submit(signed)
    assert caught.value.code == "REQUEST_ANSWERED"
    assert usage.authorizations.of_request(request.id) == []


def test_a_note_that_is_erased_after_the_checks_is_not_copied_into_a_notice(
    pilot: Pilot, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage, database, sealer = pilot.ledger.usage, pilot.ledger.database, pilot.ledger.sealer
    (request,) = usage.requests.submit(asked(pilot, 1))
    signed = consents(pilot, [request.id])

    def erase() -> None:
        with database.write() as session:
            sealer.erase(session, access_request(session, request.id).sealed_id)

    with between(monkeypatch, erase), pytest.raises(NotFound) as caught:
        usage.authorizations.submit(signed)
    assert caught.value.code == "SEALED_ERASED"
    assert usage.authorizations.of_request(request.id) == []


def test_an_authorization_submitted_by_two_simultaneous_calls_is_recorded_once(
    pilot: Pilot, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = pilot.ledger.usage
    (request,) = usage.requests.submit(asked(pilot, 1))
    signed, first = consents(pilot, [request.id]), []
    with between(monkeypatch, lambda: first.extend(usage.authorizations.submit(signed))):
        assert usage.authorizations.submit(signed) == first
    assert usage.authorizations.of_request(request.id) == first


def test_an_answer_is_refused_if_another_answer_was_recorded_after_the_checks(
    pilot: Pilot, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = pilot.ledger.usage
    (request,) = usage.requests.submit(asked(pilot, 1))
    (consent,) = usage.authorizations.submit(consents(pilot, [request.id]))
    (mine,), (other,) = supplies(pilot, [consent.id]), supplies(pilot, [consent.id])
    with between(monkeypatch, lambda: usage.provisions.submit([other])), pytest.raises(Conflict) as caught:
        usage.provisions.submit([mine])
    assert caught.value.code == "ALREADY_SUPPLIED"


def test_an_answer_is_refused_if_the_request_was_cancelled_after_the_checks(
    pilot: Pilot, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = pilot.ledger.usage
    (request,) = usage.requests.submit(asked(pilot, 1))
    (consent,) = usage.authorizations.submit(consents(pilot, [request.id]))
    answers = supplies(pilot, [consent.id])
    with between(monkeypatch, lambda: usage.requests.cancel(request.id)), pytest.raises(Conflict) as caught:
        usage.provisions.submit(answers)
    assert caught.value.code == "REQUEST_NOT_AUTHORIZED"
