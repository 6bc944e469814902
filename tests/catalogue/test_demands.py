"""A demand is matched, accepted and connected within working days, or it is refused and appealed. A match explains its
score.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest

from ledger.catalogue.demands import Demands, NewDemand
from ledger.domain.days import SHANGHAI
from ledger.domain.parties import Role
from ledger.domain.resource import ResourceField
from ledger.parties.roles import Actor
from tests.support.actors.department import Department, refusal
from tests.support.actors.pilots import Pilot

DEMAND = NewDemand("企业欠费", "贷前审查", "信贷管理办法", ("arrears", "account_age"), "energy")


def shanghai(year: int, month: int, day: int, hour: int = 12) -> int:
    return int(datetime(year, month, day, hour, tzinfo=SHANGHAI).timestamp())


class Clock:
    """A clock that the test sets."""

    now = shanghai(2025, 9, 30)

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def demands(office: Department, clock: Clock) -> Demands:
    """Return the demands of the shared ledger, with the test's clock. A department that has no listed duty must answer
    within five working days.
    """
    return Demands(office.ledger.database, clock, 5)


def matched(office: Department, demands: Demands, code: str) -> str:
    office.publish(code, domain="energy", fields=(ResourceField("Arrears", "text"), ResourceField("kwh", "decimal")))
    demand = demands.file(office.consumer, DEMAND).id
    assert demands.match(office.authority, demand, code).state == "matched"
    return demand


def test_candidates_for_a_demand_are_ranked_and_list_the_parts_of_their_scores(
    office: Department, demands: Demands
) -> None:
    office.publish("rank/both", domain="rank", fields=tuple(ResourceField(name, "text") for name in ("zeta", "eta")))
    office.publish("rank/one", domain="rank", fields=(ResourceField("ZETA", "text"),))
    office.publish("rank/closed", domain="rank", share_attr="none", share_basis="条例")
    office.put("rank/draft", domain="rank", fields=(ResourceField("zeta", "text"),))
    demand = demands.file(office.consumer, NewDemand("x?", "y?", "z", ("zeta", "e_ta"), "rank")).id
    found = demands.candidates(demand)
    assert [(item.code, item.score) for item in found] == [("rank/both", 800), ("rank/one", 500)]
    assert found[1].to_dict()["points"] == {"fields": 300, "domain": 200, "words": 0}
    assert found == demands.candidates(demand), "the order is the same every time"
    assert demands.candidates(demand, 1) == found[:1]


def test_a_demand_can_be_filed_and_matched_and_accepted_and_connected_and_closed(
    office: Department, demands: Demands, clock: Clock
) -> None:
    demand = matched(office, demands, "way")
    demands.accept(office.provider, demand)
    demands.connect(office.provider, demand)
    clock.now += 60
    demands.close(office.consumer, demand)
    shown = demands.get(demand)
    assert (shown["state"], shown["resource"], shown["overdue"]) == ("closed", "way", False)
    assert [event["move"] for event in shown["history"]] == ["file", "match", "accept", "connect", "close"]
    assert shown["history"][-1]["at"] == clock.now


def test_the_due_date_of_a_demand_does_not_count_the_national_day_holiday(
    office: Department, demands: Demands, clock: Clock
) -> None:
    demand = matched(office, demands, "holiday")
    demands.list_duty(office.authority, "holiday", office.provider.party, 20)
    demands.list_duty(office.authority, "holiday", office.provider.party, 3)
    assert [duty.sla_days for duty in demands.duties("holiday")] == [3, 20]
    clock.now = shanghai(2025, 9, 30)
    due = demands.accept(office.provider, demand).due_at
    # The limit is three working days. 1 to 8 October are holidays. 9 and 10 October are working days, and so is
    # Saturday 11 October, a make-up day.
    assert due == shanghai(2025, 10, 12, 0)
    for at, late in ((shanghai(2025, 10, 8), False), (due - 1, False), (due, True), (due + 10**6, True)):
        assert demands.get(demand, at)["overdue"] is late
    clock.now = due + 1
    demands.connect(office.provider, demand)
    assert demands.get(demand)["overdue"] is False, "the duty is fulfilled, although late; the history shows when"


def test_a_provider_without_a_listed_duty_must_share_within_the_default_number_of_days(
    office: Department, demands: Demands, clock: Clock
) -> None:
    demand = matched(office, demands, "usual")
    clock.now = shanghai(2025, 11, 3)
    assert demands.accept(office.provider, demand).due_at == shanghai(2025, 11, 11, 0)


def test_a_department_without_a_duty_to_share_cannot_accept_a_demand(
    office: Department, demands: Demands, pilot: Pilot
) -> None:
    demand = matched(office, demands, "duty")
    demands.list_duty(office.authority, "duty", pilot.cast.other_bank, 5)
    assert refusal(lambda: demands.accept(office.provider, demand)).code == "NOT_ON_DUTY"
    assert demands.accept(office.stranger, demand).state == "duty_accepted"
    assert refusal(lambda: demands.connect(office.provider, demand)).code == "NOT_ON_DUTY"
    assert (
        refusal(lambda: demands.list_duty(office.provider, "duty", office.provider.party, 5)).code == "PARTY_LACKS_ROLE"
    )
    for days in (0, 1_001):
        error = refusal(lambda days=days: demands.list_duty(office.authority, "duty", office.provider.party, days))
        assert error.code == "SLA_DAYS"


def test_the_requester_can_appeal_if_a_demand_is_refused(office: Department, demands: Demands) -> None:
    demand = matched(office, demands, "refused")
    assert refusal(lambda: demands.refuse(office.provider, demand, "  ")).code == "REASON_MISSING"
    assert refusal(lambda: demands.refuse(office.stranger, demand, "不行")).code == "PARTY_LACKS_ROLE"
    demands.accept(office.provider, demand)
    row = demands.refuse(office.provider, demand, "缺少依据")
    assert (row.state, row.due_at) == ("refused", None)
    assert refusal(lambda: demands.appeal(office.provider, demand, "再议")).code == "NOT_THE_REQUESTER"
    assert demands.appeal(office.consumer, demand, "依据已补").state == "appealed"
    assert refusal(lambda: demands.close(office.consumer, demand)).code == "PARTY_LACKS_ROLE"
    assert demands.match(office.authority, demand, "refused").state == "matched"
    demands.refuse(office.provider, demand, "仍缺")
    demands.appeal(office.consumer, demand, "再议")
    assert demands.close(office.authority, demand).state == "closed"
    reasons = [event["reason"] for event in demands.get(demand)["history"] if event["reason"]]
    assert reasons == ["缺少依据", "依据已补", "仍缺", "再议"]


def test_steps_of_a_demand_in_the_wrong_order_are_refused(office: Department, demands: Demands) -> None:
    demand = demands.file(office.consumer, DEMAND).id
    assert refusal(lambda: demands.accept(office.provider, demand)).code == "DEMAND_NOT_MATCHED"
    assert refusal(lambda: demands.close(office.consumer, demand)).code == "MOVE_NOT_ALLOWED"
    assert refusal(lambda: demands.close(office.provider, demand)).code == "NOT_THE_REQUESTER"
    assert refusal(lambda: demands.get("0" * 26)).code == "DEMAND_UNKNOWN"
    assert demands.refuse(office.authority, demand, "重复").state == "refused"


def test_only_a_published_resource_that_may_be_shared_can_be_matched(office: Department, demands: Demands) -> None:
    office.put("answer/draft")
    office.publish("answer/closed", share_attr="none", share_basis="条例")
    demand = demands.file(office.consumer, DEMAND).id
    for code, expected in (
        ("answer/draft", "NOT_PUBLISHED"),
        ("answer/closed", "NOT_SHARED"),
        ("none", "RESOURCE_UNKNOWN"),
    ):
        assert refusal(lambda code=code: demands.match(office.authority, demand, code)).code == expected
    assert refusal(lambda: demands.match(office.consumer, demand, "answer/closed")).code == "PARTY_LACKS_ROLE"
    assert demands.get(demand)["state"] == "filed"


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no title": ({"title": " "}, "DEMAND_TEXT"),
    "purpose too long": ({"purpose": "x" * 401}, "DEMAND_TEXT"),
    "no legal basis": ({"legal_basis": ""}, "DEMAND_TEXT"),
    "no fields": ({"fields": ()}, "DEMAND_FIELDS"),
    "field twice": ({"fields": ("a", "a")}, "DEMAND_FIELDS"),
    "field without a name": ({"fields": ("",)}, "DEMAND_FIELDS"),
    "too many fields": ({"fields": tuple(map(str, range(201)))}, "DEMAND_FIELDS"),
}


@pytest.mark.parametrize(("change", "code"), WRONG.values(), ids=WRONG.keys())
def test_an_invalid_demand_is_refused(office: Department, demands: Demands, change: dict[str, Any], code: str) -> None:
    assert refusal(lambda: demands.file(office.consumer, replace(DEMAND, **change))).code == code


def test_only_permitted_roles_can_file_a_demand(office: Department, demands: Demands) -> None:
    firm = Actor(office.consumer.party, frozenset({Role.SUBJECT}))
    assert refusal(lambda: demands.file(firm, DEMAND)).code == "PARTY_LACKS_ROLE"
    wanted = replace(DEMAND, wanted_by=date(2026, 1, 31))
    row = demands.file(office.provider, wanted)
    assert (row.wanted_by, row.state) == ("2026-01-31", "filed")
    assert row.id in [item.id for item in demands.page(None, 200, "filed")]
    assert demands.page(row.id, 1) == [] or demands.page(row.id, 1)[0].id > row.id
