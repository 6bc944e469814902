"""Provisions: which sources are queried, how each source answers, and when no certificate can be issued."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ledger.connectors.answers import Answer, NoData, Query, Refused, TimedOut
from ledger.demo.actors import Actors
from ledger.domain.days import shanghai_day
from ledger.domain.parties import Role
from ledger.errors import Conflict, InvalidInput
from ledger.parties.roles import Actor
from tests.support.actors.persons import SCORES, SEPARATELY, PersonActors
from tests.support.actors.pilots import Pilot
from tests.support.places import SCENARIOS


def test_each_source_has_its_own_notice_and_authorization_and_provision(persons: PersonActors) -> None:
    """If a source refuses or has no data, the certificate is issued without this source. The source's answer stays
    recorded.
    """
    request, given = persons.authorised(persons.person(), "S03")
    assert set(given) == {"social_insurance", "vehicle", "housing_fund"}
    now = persons.ledger.clock()
    persons.answer({given["social_insurance"].id: persons.supplied(SCORES), given["vehicle"].id: NoData(now)})
    with pytest.raises(Conflict, match="NOT_ANSWERED_YET"):
        persons.certify([request])
    (refused,) = persons.answer({given["housing_fund"].id: Refused("under_correction", now)})
    assert (refused.result, refused.reason) == ("refused", "under_correction")
    (issued,) = persons.certify([request])
    persons.ledger.anchoring.flush()
    report = persons.accepted(issued.certificate_no)
    assert report.valid and report.disclosed == {"social_insurance_score": 72}
    assert report.claims["providers"] == [persons.departments["social_insurance"]]
    assert [part["source"] for part in report.claims["components"]] == ["social_insurance"]
    assert [part["rule_version"] for part in report.claims["components"]] == ["S03/1/engine-2"]


def test_a_request_with_three_sources_gets_one_certificate_with_three_signed_provisions(persons: PersonActors) -> None:
    number = persons.certificate(persons.person(), "S03")
    bundle = persons.ledger.certificates.bundles.build(number)
    signers = {item.signer for item in bundle.evidence}
    accounts = {persons.ledger.parties.register.get(department).account for department in persons.departments.values()}
    assert accounts < signers
    assert persons.accepted(number).valid


def test_no_certificate_is_issued_without_supplied_data(persons: PersonActors) -> None:
    request, given = persons.authorised(persons.person())
    (timed_out,) = persons.answer({given["social_insurance"].id: TimedOut(persons.ledger.clock())})
    assert timed_out.number == 1
    with pytest.raises(Conflict, match="NOTHING_SUPPLIED"):
        persons.certify([request])
    (second,) = persons.answer({given["social_insurance"].id: persons.supplied()})
    assert (second.number, second.result) == (2, "supplied")
    assert len(persons.certify([request])) == 1
    drafted = persons.draft(given["social_insurance"].id, Refused("disputed", 0))
    unreasoned = persons.sign(drafted.entry["provider"], drafted.entry | {"reason": None})
    with pytest.raises(InvalidInput, match="REASON_AND_RESULT"):
        persons.ledger.usage.provisions.submit([replace(drafted, entry=unreasoned)])


class Untouched:
    """A source that makes the test fail if it is queried."""

    def ask(self, query: Query) -> Answer:
        raise AssertionError(f"asked for {query.scenario}")


def asked(persons: PersonActors, limit: int = 1_000) -> list[str]:
    return [
        row.id for row in persons.ledger.usage.provisions.asked(persons.departments["social_insurance"], None, limit)
    ]


def refused(persons: PersonActors, consent: str, code: str) -> None:
    with pytest.raises(Conflict, match=code):
        persons.inquire({consent: Untouched()})
    with pytest.raises(Conflict, match=code):
        persons.answer({consent: persons.supplied()})


def test_no_source_is_queried_for_cancelled_or_expired_requests_or_erased_subjects(
    persons: PersonActors, pilot: Pilot
) -> None:
    ledger, gone = persons.ledger, persons.person()
    request, cancelled = persons.authorised(persons.person())
    _, lapsing = persons.authorised(persons.person())
    _, erased = persons.authorised(gone)
    one, two, three = (given["social_insurance"].id for given in (cancelled, lapsing, erased))
    assert {one, two, three} <= set(asked(persons))
    ledger.usage.requests.cancel(request)
    ledger.erasure.party(Actor(gone, frozenset({Role.SUBJECT})), gone, "subject_request")
    assert {one, two, three} & set(asked(persons)) == {two}
    refused(persons, one, "REQUEST_NOT_AUTHORIZED")
    pilot.skip(6 * 86_400)
    _, waiting = persons.authorised(persons.person())
    assert asked(persons, 1) == asked(persons) == [waiting["social_insurance"].id]
    assert ledger.usage.authorizations.get(two).state == "expired"
    refused(persons, two, "AUTHORIZATION_NOT_ACTIVE")


def test_a_provision_id_cannot_be_used_twice(persons: PersonActors) -> None:
    consents = [persons.authorised(persons.person())[1]["social_insurance"] for _ in range(2)]
    first, second = (persons.draft(consent.id, persons.supplied()) for consent in consents)
    provider = consents[0].provider
    signed = [persons.sign(provider, each.entry | {"id": first.entry["id"]}) for each in (first, second)]
    (row,) = persons.ledger.usage.provisions.submit([replace(first, entry=signed[0])])
    assert persons.ledger.usage.provisions.submit([replace(first, entry=signed[0])])[0].id == row.id
    with pytest.raises(Conflict, match="PROVISION_ID_TAKEN"):
        persons.ledger.usage.provisions.submit([replace(second, entry=signed[1])])


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("SIGNED_IN_FUTURE", {"iat": 400}),
        ("SIGNED_IN_FUTURE", {"queried_at": 400}),
        ("AS_OF_AFTER_QUERY", {"as_of": 1}),
        ("AS_OF_AFTER_QUERY", {"queried_at": -86_400, "as_of": 0}),
    ],
)
def test_a_provision_with_a_time_in_the_future_is_refused(
    persons: PersonActors, code: str, change: dict[str, int]
) -> None:
    """Each parameter changes one member. For ``as_of`` the number means days from today in Shanghai; for all other
    members, seconds from now.
    """
    _, given = persons.authorised(persons.person())
    drafted = persons.draft(given["social_insurance"].id, persons.supplied())
    now = persons.ledger.clock()
    changed: dict[str, Any] = {name: now + by for name, by in change.items() if name != "as_of"}
    if "as_of" in change:
        changed["as_of"] = (shanghai_day(now) + timedelta(days=change["as_of"])).isoformat()
    signed = persons.sign(drafted.entry["provider"], drafted.entry | changed)
    with pytest.raises(InvalidInput, match=code):
        persons.ledger.usage.provisions.submit([replace(drafted, entry=signed)])


def test_no_certificate_is_issued_if_the_scenario_changed_after_the_request(
    persons: PersonActors, pilot: Pilot, tmp_path: Path
) -> None:
    """If certificate and authorization followed different definitions, every verification would fail."""
    supplied, given = persons.authorised(persons.person())
    persons.answer({given["social_insurance"].id: persons.supplied()})
    _, given = persons.authorised(persons.person())
    consent, person = given["social_insurance"].id, persons.person()
    (unanswered,) = persons.ask([persons.terms(person)])
    (drafted,) = persons.ledger.usage.authorizations.draft(unanswered, SEPARATELY)
    signed = persons.sign(person, drafted.entry)
    answer = persons.draft(consent, persons.supplied())
    signed_answer = replace(answer, entry=persons.sign(answer.entry["provider"], answer.entry))
    shipped = (SCENARIOS / "S02.yaml").read_text("utf-8")
    (tmp_path / "S02.yaml").write_text(shipped.replace("retention_days: 30", "retention_days: 31"), "utf-8")
    assert consent in asked(persons)
    with pilot.under(scenarios=tmp_path) as changed:
        later = changed.ledger
        for attempt in (
            lambda: later.usage.authorizations.draft(unanswered, SEPARATELY),
            lambda: later.usage.authorizations.submit([signed]),
            lambda: Actors(later).inquire({consent: Untouched()}),
            lambda: later.usage.provisions.submit([signed_answer]),
            lambda: later.usage.issuance.issue(later.actor(later.party), [supplied]),
        ):
            with pytest.raises(Conflict, match="SCENARIO_CHANGED"):
                attempt()
        assert consent not in [row.id for row in later.usage.provisions.asked(answer.entry["provider"], None, 1_000)]
    assert len(persons.certify([supplied])) == 1
