"""Expiry of requests and authorizations. Whether a request or authorization has expired is computed when it is read,
and nothing is written; a periodic task of the server records the expiry.
"""

from __future__ import annotations

import pytest

from ledger.errors import Conflict
from ledger.usage.tables import AccessRequest, Authorization
from tests.support.actors.persons import SEPARATELY, PersonActors
from tests.support.actors.pilots import Pilot
from tests.support.actors.withdrawals import withdraw

BEYOND_BOTH = 6 * 86_400


def stored(persons: PersonActors, request: str, consent: str) -> tuple[str, str]:
    with persons.ledger.database.read() as session:
        return session.get_one(AccessRequest, request).state, session.get_one(Authorization, consent).state


def test_a_request_is_shown_as_expired_at_once_but_stored_as_expired_only_by_the_periodic_task(
    persons: PersonActors, pilot: Pilot
) -> None:
    ledger, person = persons.ledger, persons.person()
    (request,) = persons.ask([persons.terms(person)])
    _, given = persons.authorised(person)
    consent = given["social_insurance"]
    ledger.usage.expiry.tick()
    assert stored(persons, request, consent.id) == ("sent", "active")
    pilot.skip(BEYOND_BOTH)
    assert ledger.usage.requests.get(request).state == "expired"
    assert ledger.usage.authorizations.get(consent.id).state == "expired"
    assert [row.state for row in ledger.usage.authorizations.page(person, None, 9)] == ["expired"]
    assert [row.id for row in ledger.usage.requests.page(person, None, 9, "expired")] == [request]
    assert request not in [row.id for row in ledger.usage.requests.unanswered()]
    assert consent.id not in [row.id for row in ledger.usage.provisions.asked(consent.provider, None, 1_000)]
    with pytest.raises(Conflict, match="REQUEST_EXPIRED"):
        ledger.usage.authorizations.draft(request, SEPARATELY)
    assert stored(persons, request, consent.id) == ("sent", "active")
    ledger.usage.expiry.tick()
    assert stored(persons, request, consent.id) == ("expired", "expired")


def test_the_periodic_task_does_not_record_the_expiry_of_an_authorization_with_a_provision(
    persons: PersonActors, pilot: Pilot
) -> None:
    request, given = persons.authorised(persons.person())
    consent = given["social_insurance"].id
    persons.answer({consent: persons.supplied()})
    pilot.skip(BEYOND_BOTH)
    persons.ledger.usage.expiry.tick()
    assert persons.ledger.usage.authorizations.get(consent).state == "expired"
    assert stored(persons, request, consent) == ("authorised", "active")


def test_a_subject_can_withdraw_an_expired_authorization(persons: PersonActors, pilot: Pilot) -> None:
    """The withdrawal is already on the chain, so the store must not refuse it because of the expiry."""
    request, given = persons.authorised(persons.person())
    consent = given["social_insurance"].id
    pilot.skip(BEYOND_BOTH)
    persons.ledger.usage.expiry.tick()
    assert stored(persons, request, consent)[1] == "expired"
    assert withdraw(pilot.actors, consent).state == "withdrawn"
    assert stored(persons, request, consent)[1] == "withdrawn"
