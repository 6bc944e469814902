"""Revocation of many certificates in one call: how many transactions and queries are needed, and what is revoked if the
call is interrupted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from ledger.chain.reading.log_reads import LEAVES_PER_WORD
from ledger.chain.sending.sender import Receipt
from ledger.errors import ChainUnavailable, InvalidInput
from ledger.installation.settings import Settings
from ledger.installation.wiring import Ledger, create_ledger
from ledger.usage.revocations import Outcome, Portion, revoked_at_once
from tests.support.actors.many_certificates import away, many, sending
from tests.support.actors.pilots import Pilot, assembled

THOUSAND = 1_000
SOME = 200


@pytest.fixture(scope="module")
def pilot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pilot]:
    """A separate ledger, because the tests of this file count all certificates of the ledger."""
    with create_ledger(Settings(home=tmp_path_factory.mktemp("revocations"), delay=0)) as ledger:
        yield assembled(ledger)


@pytest.fixture(scope="module")
def one(pilot: Pilot) -> str:
    """Return an issued certificate. The tests copy it to get many certificates."""
    return pilot.certificate(pilot.firm())


def revoked(ledger: Ledger, numbers: list[str], reason: str = "data_error") -> Portion:
    return revoked_at_once(ledger.usage.revocations.revoke(numbers, reason))


def outcomes(portion: Portion) -> list[str]:
    return [answer.outcome.value for answer in portion.answers]


@contextmanager
def queries(ledger: Ledger) -> Iterator[list[str]]:
    """Collect the SQL statements that are executed."""
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        asked.append(statement)

    event.listen(ledger.database.engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(ledger.database.engine, "before_cursor_execute", note)


def test_a_thousand_revocations_need_few_queries_and_one_transaction_for_each_128_positions(
    pilot: Pilot, one: str
) -> None:
    ledger = pilot.ledger
    few, thousand = many(pilot, one, SOME), many(pilot, one, THOUSAND)
    with sending(lambda _turn, original: original) as sent, queries(ledger) as for_few:
        revoked(ledger, few)
    assert sent == [LEAVES_PER_WORD, SOME - LEAVES_PER_WORD]
    with sending(lambda _turn, original: original) as sent, queries(ledger) as for_thousand:
        report = revoked(ledger, thousand)
    assert sent == [LEAVES_PER_WORD] * 7 + [THOUSAND - 7 * LEAVES_PER_WORD]
    asked = [query for query in for_thousand if "certificate" in query]
    assert len(asked) == len([query for query in for_few if "certificate" in query]) == 1
    assert outcomes(report) == ["revoked"] * THOUSAND
    assert [answer.number for answer in report.answers] == thousand
    transactions = {answer.tx_hash for answer in report.answers}
    assert len(transactions) == 8
    assert report.gas == sum(ledger.client.receipt(str(tx)).gas_used for tx in transactions)
    for number in (few[0], few[-1], thousand[0], thousand[LEAVES_PER_WORD], thousand[-1]):
        status = ledger.verification.status(number)
        assert (status["state"], status["reason"]) == ("revoked", "data_error")


def test_a_repeated_revocation_call_skips_ended_certificates_and_duplicate_numbers(pilot: Pilot, one: str) -> None:
    numbers = many(pilot, one, 3)
    pilot.ledger.certificates.status.supersede(numbers[1], numbers[2])
    with sending(lambda _turn, original: original) as sent:
        first = revoked(pilot.ledger, [numbers[0], numbers[0], numbers[1]])
        again = revoked(pilot.ledger, numbers[:2])
    assert sent == [1]
    assert {answer.number: answer.outcome for answer in first.answers} == {
        numbers[0]: Outcome.REVOKED,
        numbers[1]: Outcome.ENDED_BEFORE,
    }
    assert outcomes(again) == ["ended_before", "ended_before"]
    assert again.gas == 0


def test_a_revocation_call_skips_a_certificate_that_another_call_revoked_meanwhile(pilot: Pilot, one: str) -> None:
    ledger, numbers = pilot.ledger, many(pilot, one, 4)

    def overtaken(turn: int, original: Callable[..., Receipt]) -> Callable[..., Receipt]:
        if turn == 1:
            ledger.certificates.status.revoke(numbers[2], "fraud")
        return original

    with sending(overtaken) as sent:
        report = revoked(ledger, numbers)
    assert sent == [4, 3]
    found = {answer.number: answer.outcome.value for answer in report.answers}
    assert found == dict.fromkeys(numbers, "revoked") | {numbers[2]: "ended_before"}
    assert ledger.verification.status(numbers[2])["reason"] == "fraud"


def test_an_interrupted_revocation_call_reports_each_outcome_and_can_be_repeated(pilot: Pilot, one: str) -> None:
    ledger, numbers = pilot.ledger, many(pilot, one, 300)
    with sending(lambda turn, original: original if turn == 1 else away) as sent:
        report = revoked(ledger, numbers)
    assert len(sent) == 2
    assert outcomes(report) == ["revoked"] * LEAVES_PER_WORD + ["not_revoked"] * (300 - LEAVES_PER_WORD)
    assert {answer.code for answer in report.answers} == {None, "CHAIN_UNREACHABLE"}
    rest = revoked(ledger, numbers)
    assert outcomes(rest) == ["ended_before"] * LEAVES_PER_WORD + ["revoked"] * (300 - LEAVES_PER_WORD)


def test_a_revocation_call_fails_if_no_transaction_can_be_sent(pilot: Pilot, one: str) -> None:
    number = many(pilot, one, 1)
    with sending(lambda _turn, _original: away), pytest.raises(ChainUnavailable) as failed:
        revoked(pilot.ledger, number)
    assert failed.value.code == "CHAIN_UNREACHABLE"
    with pytest.raises(InvalidInput) as refused:
        revoked(pilot.ledger, number, "because")
    assert refused.value.code == "REASON_UNKNOWN"
    assert pilot.ledger.verification.status(number[0])["state"] == "active"


def test_a_revocation_call_reports_unknown_numbers_and_revokes_a_certificate_in_an_open_batch(
    pilot: Pilot, one: str
) -> None:
    firm = pilot.firm()
    authorization = pilot.authorise(firm)
    pilot.supply(firm, authorization)
    number = pilot.actors.issue({firm: authorization})[firm]
    missing = "DAC-440802-2026-S01-99999999-A"
    report = revoked(pilot.ledger, [missing, number])
    assert [(each.number, each.outcome.value, each.code) for each in report.answers] == [
        (missing, "not_revoked", "CERTIFICATE_UNKNOWN"),
        (number, "revoked", None),
    ]
    assert pilot.ledger.usage.revocations.unknown([missing, number]) == {missing}


def test_the_certificates_that_rest_on_a_providers_data_are_found(pilot: Pilot, one: str) -> None:
    other = many(pilot, one, 1)
    revocations = pilot.ledger.usage.revocations
    assert revocations.resting_on(pilot.cast.provider, [one, *other]) == {one}
    assert revocations.resting_on(pilot.cast.bank, [one, *other]) == set()
