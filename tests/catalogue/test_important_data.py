"""Important data cannot be published until it is reviewed, and core data cannot be published, even if the provider gave
the data a lower grade.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from ledger.catalogue.important_rules import ImportantData
from ledger.domain.parties import Role
from ledger.domain.resource import ResourceField
from ledger.parties.roles import Actor
from tests.support.actors.department import Department, refusal

REPORT = f"sha-256:{'a' * 64}"


def test_a_resource_with_a_lower_grade_than_one_of_its_fields_is_refused(office: Department) -> None:
    fields = (ResourceField("holder", "text", pii="sensitive", grade="general_4"),)
    error = refusal(lambda: office.put("too-low", fields=fields, grade="general_2"))
    assert (error.code, error.details["field"]) == ("GRADE_TOO_LOW", "holder")
    assert refusal(lambda: office.ledger.catalogue.data.get("too-low")).code == "RESOURCE_UNKNOWN"


def test_core_data_cannot_be_submitted_and_stays_a_draft(office: Department) -> None:
    office.put("core", fields=(ResourceField("x", "text", grade="core"),))
    assert refusal(lambda: office.ledger.catalogue.data.submit(office.provider, "core")).code == "GRADE_CORE"
    assert office.state("core") == "draft"
    assert refusal(lambda: office.ledger.catalogue.data.registrable("core")).code == "NOT_PUBLISHED"


def test_important_data_is_blocked_until_reviewed(office: Department) -> None:
    catalogue, code = office.ledger.catalogue.data, "important"
    office.put(code, grade="important")
    assert catalogue.submit(office.provider, code).state == "blocked"
    assert refusal(lambda: office.signed(code)).code == "MOVE_NOT_ALLOWED"
    assert refusal(lambda: catalogue.record_review(office.provider, code, REPORT)).code == "PARTY_LACKS_ROLE"
    both = Actor(office.provider.party, frozenset({Role.PROVIDER, Role.CDO}))
    assert refusal(lambda: catalogue.record_review(both, code, REPORT)).code == "REVIEWER_IS_PROVIDER"
    assert refusal(lambda: catalogue.record_review(office.authority, code, "sha-256:x")).code == "DIGEST_FORM"
    assert catalogue.record_review(office.authority, code, REPORT).state == "submitted"
    office.ledger.catalogue.publications.sign(office.cdo, office.signed(code))
    office.ledger.catalogue.publications.publish(office.provider, code)
    assert catalogue.registrable(code).grade == "important"
    assert [event["move"] for event in catalogue.history(code)] == [
        "edit",
        "submit",
        "block",
        "lift",
        "sign",
        "publish",
    ]


def test_a_review_permits_the_submission_of_only_the_reviewed_version(office: Department) -> None:
    catalogue, code = office.ledger.catalogue.data, "review-again"
    office.put(code, grade="important")
    assert catalogue.record_review(office.authority, code, REPORT).state == "draft"
    assert catalogue.submit(office.provider, code).state == "submitted"
    office.put(code, grade="important", title="再来")
    assert catalogue.submit(office.provider, code).state == "blocked"


@pytest.fixture
def listed(office: Department) -> Iterator[Callable[[ImportantData], None]]:
    """Yield a function that adds a kind of data to the important-data list; withdraw all added kinds after the test."""
    added: list[str] = []

    def add(entry: ImportantData) -> None:
        added.append(office.ledger.catalogue.important_data.add(office.authority, entry).entry.id)

    yield add
    for identifier in added:
        office.ledger.catalogue.important_data.withdraw(office.authority, identifier)


def test_a_resource_that_matches_the_important_data_list_is_blocked_until_reviewed(
    office: Department, listed: Callable[[ImportantData], None]
) -> None:
    listed(ImportantData("地下管线", "important", pattern="*管线*"))
    office.put("pipes", title="城区地下管线")
    assert office.ledger.catalogue.data.submit(office.provider, "pipes").state == "blocked"
    assert office.ledger.catalogue.data.history("pipes")[-1]["reason"] == "important: 地下管线"
    assert office.ledger.catalogue.data.record_review(office.authority, "pipes", REPORT).state == "submitted"


def test_a_resource_that_is_listed_as_core_data_stays_blocked(
    office: Department, listed: Callable[[ImportantData], None]
) -> None:
    listed(ImportantData("坐标", "core", fields=("gcj_x", "gcj_y")))
    office.put("coordinates", fields=(ResourceField("gcj_x", "decimal"), ResourceField("gcj_y", "decimal")))
    catalogue = office.ledger.catalogue.data
    assert catalogue.submit(office.provider, "coordinates").state == "blocked"
    assert refusal(lambda: catalogue.record_review(office.authority, "coordinates", REPORT)).code == "GRADE_CORE"
    assert office.state("coordinates") == "blocked"


def test_a_new_entry_of_the_important_data_list_blocks_matching_resources_at_once(office: Department) -> None:
    ledger = office.ledger
    office.publish("at-once/published", title="近海水深 甲")
    office.publish("at-once/changed", title="近海水深 乙")
    office.put("at-once/changed", title="另一题")
    office.put("at-once/reviewed", title="近海水深 丙")
    ledger.catalogue.data.record_review(office.authority, "at-once/reviewed", REPORT)
    ledger.catalogue.data.submit(office.provider, "at-once/reviewed")
    office.put("at-once/draft", title="近海水深 丁")
    listed = ledger.catalogue.important_data.add(
        office.authority, ImportantData("水深", "important", pattern="近海水深*")
    )
    core = ledger.catalogue.important_data.add(office.authority, ImportantData("水深", "core", pattern="近海水深 丙"))
    for entry in (listed.entry, core.entry):
        ledger.catalogue.important_data.withdraw(office.authority, entry.id)
    assert (listed.blocked, core.blocked) == (("at-once/changed", "at-once/published"), ("at-once/reviewed",))
    assert ledger.catalogue.data.get("at-once/published")["published_version"] is None
    assert ledger.catalogue.data.history("at-once/changed")[-1]["reason"] == "important: 水深"
    assert office.state("at-once/draft") == "draft"


def test_only_roles_that_may_grade_data_can_change_the_important_data_list(office: Department) -> None:
    kinds, entry = office.ledger.catalogue.important_data, ImportantData("x", "important", pattern="no such title")
    for actor in (office.provider, office.consumer, office.stranger):
        assert refusal(lambda actor=actor: kinds.add(actor, entry)).code == "PARTY_LACKS_ROLE"
    assert refusal(lambda: kinds.withdraw(office.authority, "0" * 26)).code == "IMPORTANT_ENTRY_UNKNOWN"
    row = kinds.add(office.authority, entry).entry
    kinds.withdraw(office.authority, row.id)
    (kept,) = [item for item in kinds.all() if item.id == row.id]
    assert kept.withdrawn
