"""Tests which role may erase a certificate's text for which reason."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ledger.domain.days import DAY
from ledger.errors import Conflict
from ledger.installation.wiring import Ledger, open_ledger
from tests.support.actors.erasing import COURT, OVER, REQUEST, erasures, office, refusal, subject
from tests.support.actors.persons import PersonActors


@contextmanager
def at(ledger: Ledger, time: int) -> Iterator[Ledger]:
    """Open the same ledger again with a clock that shows the given time."""
    with open_ledger(ledger.settings, clock=lambda: time) as opened:
        yield opened


OFFICES = ("platform", "authority")
WHO = ("subject", "other subject", *OFFICES, "bank", "provider", "registrar", "supervisor")
MAY = {
    ("subject", REQUEST): "done",
    ("subject", OVER): "ERASURE_REASON",
    ("subject", COURT): "ERASURE_REASON",
    **{(office, REQUEST): "ERASURE_REASON" for office in OFFICES},
    **{(office, OVER): "RETENTION_NOT_OVER" for office in OFFICES},
    **{(office, COURT): "done" for office in OFFICES},
}


@pytest.mark.parametrize("who", WHO)
def test_each_role_can_erase_only_for_the_reasons_of_this_role(persons: PersonActors, who: str) -> None:
    ledger, person = persons.ledger, persons.person()
    number = persons.certificate(person)
    actor = {"subject": subject(person), "other subject": subject(persons.person())}.get(who) or office(persons, who)
    for reason in (OVER, REQUEST, COURT):
        expected = MAY.get((who, reason), "PARTY_LACKS_ROLE")
        assert refusal(lambda: ledger.erasure.certificate(actor, number, reason)) == expected, reason  # noqa: B023
        assert refusal(lambda: ledger.erasure.party(actor, person, reason)) == expected, reason  # noqa: B023
    done = "done" in [MAY.get((who, reason)) for reason in (REQUEST, COURT)]
    assert bool(erasures(ledger, person)) == done


def test_the_retention_period_begins_at_the_end_of_the_certificates_validity(persons: PersonActors) -> None:
    ledger, person = persons.ledger, persons.person()
    number = persons.certificate(person)
    over = ledger.usage.holdings.get(number).exp + 30 * DAY
    with at(ledger, over - 1) as early:
        for attempt in (early.erasure.certificate, early.erasure.party):
            with pytest.raises(Conflict, match="RETENTION_NOT_OVER") as caught:
                attempt(office(persons, "platform"), number if attempt == early.erasure.certificate else person, OVER)
            assert caught.value.details == {"over": over}
    with at(ledger, over) as late:
        assert late.erasure.certificate(office(persons, "platform"), number, OVER).entry["reason"] == OVER
        assert late.erasure.party(office(persons, "authority"), person, OVER).certificates == (number,)


def test_the_text_of_a_request_without_a_certificate_can_be_erased_after_the_retention_period(
    persons: PersonActors,
) -> None:
    ledger, person = persons.ledger, persons.person()
    (request,) = persons.ask([persons.terms(person)])
    over = ledger.usage.requests.statement(request)["valid_to"] + 30 * DAY
    for time, expected in ((over - 1, "RETENTION_NOT_OVER"), (over, "done")):
        with at(ledger, time) as then:
            assert refusal(lambda: then.erasure.party(office(persons, "platform"), person, OVER)) == expected
