"""The data list: versions, grades, reviews, the officer's signature. Real keys, real log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from ledger.catalogue.important_rules import ImportantData
from ledger.catalogue.open_catalogue import Opening
from ledger.catalogue.systems import SystemEntry
from ledger.domain.entries import statement_digest
from ledger.domain.parties import Role
from ledger.domain.resource import ResourceField
from ledger.errors import Conflict, Forbidden, InvalidInput, NotFound, PingzhengError
from ledger.parties.roles import Actor
from ledger.proof.jws import sign_entry
from tests.support.actors.department import Department, department, resource
from tests.support.actors.pilots import Pilot

REPORT = f"sha-256:{'a' * 64}"


@pytest.fixture(scope="module")
def office(pilot: Pilot) -> Department:
    return department(pilot.ledger, pilot.cast)


def refusal(act: Callable[[], object]) -> PingzhengError:
    with pytest.raises(PingzhengError) as caught:
        act()
    return caught.value


# Versions


def test_nothing_is_overwritten(office: Department) -> None:
    catalogue = office.ledger.catalogue
    first = office.put("versions")
    second = office.put("versions", title="企业用电（更正）", fields=(*first.fields, ResourceField("area", "text")))
    assert office.ledger.catalogue.put(office.provider, second).verdict == "unchanged"
    assert catalogue.document("versions", 1) == first.to_dict()
    assert catalogue.document("versions", 2) == second.to_dict()
    assert catalogue.get("versions")["resource"] == second.to_dict()
    assert [change["where"] for change in catalogue.diff("versions", 1, 2)] == ["title", "fields.area"]
    assert [(event["version"], event["move"]) for event in catalogue.history("versions")] == [(1, "edit"), (2, "edit")]


def test_unknown_resource_or_version(office: Department) -> None:
    office.put("known")
    for act, code in (
        (lambda: office.ledger.catalogue.get("unknown"), "RESOURCE_UNKNOWN"),
        (lambda: office.ledger.catalogue.history("unknown"), "RESOURCE_UNKNOWN"),
        (lambda: office.ledger.catalogue.document("known", 2), "VERSION_UNKNOWN"),
    ):
        error = refusal(act)
        assert isinstance(error, NotFound) and error.code == code


def test_only_its_provider_edits(office: Department) -> None:
    office.put("mine")
    catalogue = office.ledger.catalogue
    changed = resource("mine", title="别人的")
    assert refusal(lambda: catalogue.put(office.stranger, changed)).code == "NOT_THE_PROVIDER"
    assert refusal(lambda: catalogue.put(office.cdo, changed)).code == "PARTY_LACKS_ROLE"
    assert refusal(lambda: catalogue.put(office.consumer, changed)).code == "PARTY_LACKS_ROLE"
    assert refusal(lambda: catalogue.submit(office.stranger, "mine")).code == "PARTY_LACKS_ROLE"
    assert refusal(lambda: catalogue.submit(office.cdo, "mine")).code == "PARTY_LACKS_ROLE"
    assert refusal(lambda: catalogue.retire(office.cdo, "mine", "no")).code == "PARTY_LACKS_ROLE"
    assert catalogue.get("mine")["version"] == 1


def test_resource_of_a_system_that_is_listed(office: Department) -> None:
    systems = office.ledger.systems
    unknown = refusal(lambda: office.put("in-system", system="meters"))
    assert (unknown.code, unknown.where) == ("SYSTEM_UNKNOWN", "system")
    entry = SystemEntry("meters", "用电采集系统", 3)
    assert systems.put(office.provider, entry).version == 1
    assert systems.put(office.provider, entry).version == 1
    assert systems.put(office.provider, replace(entry, status="stopped")).version == 2
    assert refusal(lambda: systems.put(office.stranger, entry)).code == "NOT_THE_OWNER"
    assert refusal(lambda: systems.put(office.consumer, entry)).code == "PARTY_LACKS_ROLE"
    for wrong in ({"protection_level": 6}, {"name": " "}, {"status": "gone"}, {"code": "a b"}):
        assert refusal(lambda wrong=wrong: systems.put(office.provider, replace(entry, **wrong))).code == "SYSTEM_ENTRY"
    office.put("in-system", system="meters")
    (row,) = [row for row in systems.page(None, 50) if row.code == "meters"]
    assert (row.version, row.status) == (2, "stopped")
    assert systems.page("meters", 50) == []


# Grades


def test_grade_below_a_field_is_refused_and_writes_nothing(office: Department) -> None:
    fields = (ResourceField("holder", "text", pii="sensitive", grade="general_4"),)
    error = refusal(lambda: office.put("too-low", fields=fields, grade="general_2"))
    assert (error.code, error.details["field"]) == ("GRADE_TOO_LOW", "holder")
    assert refusal(lambda: office.ledger.catalogue.get("too-low")).code == "RESOURCE_UNKNOWN"


def test_core_stays_a_draft(office: Department) -> None:
    office.put("core", fields=(ResourceField("x", "text", grade="core"),))
    assert refusal(lambda: office.ledger.catalogue.submit(office.provider, "core")).code == "GRADE_CORE"
    assert office.state("core") == "draft"
    assert refusal(lambda: office.ledger.catalogue.registrable("core")).code == "NOT_PUBLISHED"


def test_important_waits_for_its_review(office: Department) -> None:
    catalogue, code = office.ledger.catalogue, "important"
    office.put(code, grade="important")
    assert catalogue.submit(office.provider, code).state == "blocked"
    assert refusal(lambda: office.signed(code)).code == "MOVE_NOT_ALLOWED"
    assert refusal(lambda: catalogue.record_review(office.provider, code, REPORT)).code == "PARTY_LACKS_ROLE"
    both = Actor(office.provider.party, frozenset({Role.PROVIDER, Role.CDO}))
    assert refusal(lambda: catalogue.record_review(both, code, REPORT)).code == "REVIEWER_IS_PROVIDER"
    assert refusal(lambda: catalogue.record_review(office.authority, code, "sha-256:x")).code == "DIGEST_FORM"
    assert catalogue.record_review(office.authority, code, REPORT).state == "submitted"
    office.ledger.publications.sign(office.cdo, office.signed(code))
    office.ledger.publications.publish(office.provider, code)
    assert catalogue.registrable(code).grade == "important"
    assert [event["move"] for event in catalogue.history(code)] == [
        "edit",
        "submit",
        "block",
        "lift",
        "sign",
        "publish",
    ]


def test_review_is_of_one_version(office: Department) -> None:
    catalogue, code = office.ledger.catalogue, "review-again"
    office.put(code, grade="important")
    assert catalogue.record_review(office.authority, code, REPORT).state == "draft"
    assert catalogue.submit(office.provider, code).state == "submitted"
    office.put(code, grade="important", title="再来")
    assert catalogue.submit(office.provider, code).state == "blocked"


@pytest.fixture
def listed(office: Department) -> Iterator[Callable[[ImportantData], None]]:
    """Lists kinds of data for one test."""
    added: list[str] = []

    def add(entry: ImportantData) -> None:
        added.append(office.ledger.important_data.add(office.authority, entry).entry.id)

    yield add
    for identifier in added:
        office.ledger.important_data.withdraw(office.authority, identifier)


def test_what_the_list_names_is_blocked_until_reviewed(
    office: Department, listed: Callable[[ImportantData], None]
) -> None:
    listed(ImportantData("地下管线", "important", pattern="*管线*"))
    office.put("pipes", title="城区地下管线")
    assert office.ledger.catalogue.submit(office.provider, "pipes").state == "blocked"
    assert office.ledger.catalogue.history("pipes")[-1]["reason"] == "important: 地下管线"
    assert office.ledger.catalogue.record_review(office.authority, "pipes", REPORT).state == "submitted"


def test_what_the_list_names_core_stays_blocked(office: Department, listed: Callable[[ImportantData], None]) -> None:
    listed(ImportantData("坐标", "core", fields=("gcj_x", "gcj_y")))
    office.put("coordinates", fields=(ResourceField("gcj_x", "decimal"), ResourceField("gcj_y", "decimal")))
    catalogue = office.ledger.catalogue
    assert catalogue.submit(office.provider, "coordinates").state == "blocked"
    assert refusal(lambda: catalogue.record_review(office.authority, "coordinates", REPORT)).code == "GRADE_CORE"
    assert office.state("coordinates") == "blocked"


def test_listing_blocks_at_once_what_was_shown(office: Department) -> None:
    ledger = office.ledger
    office.publish("at-once/published", title="近海水深 甲")
    office.publish("at-once/changed", title="近海水深 乙")
    office.put("at-once/changed", title="另一题")
    office.put("at-once/reviewed", title="近海水深 丙")
    ledger.catalogue.record_review(office.authority, "at-once/reviewed", REPORT)
    ledger.catalogue.submit(office.provider, "at-once/reviewed")
    office.put("at-once/draft", title="近海水深 丁")
    listed = ledger.important_data.add(office.authority, ImportantData("水深", "important", pattern="近海水深*"))
    core = ledger.important_data.add(office.authority, ImportantData("水深", "core", pattern="近海水深 丙"))
    for entry in (listed.entry, core.entry):
        ledger.important_data.withdraw(office.authority, entry.id)
    assert (listed.blocked, core.blocked) == (("at-once/changed", "at-once/published"), ("at-once/reviewed",))
    assert ledger.catalogue.get("at-once/published")["published_version"] is None
    assert ledger.catalogue.history("at-once/changed")[-1]["reason"] == "important: 水深"
    assert office.state("at-once/draft") == "draft"


def test_important_list_is_kept_by_those_who_grade(office: Department) -> None:
    kinds, entry = office.ledger.important_data, ImportantData("x", "important", pattern="no such title")
    for actor in (office.provider, office.consumer, office.stranger):
        assert refusal(lambda actor=actor: kinds.add(actor, entry)).code == "PARTY_LACKS_ROLE"
    assert refusal(lambda: kinds.withdraw(office.authority, "0" * 26)).code == "IMPORTANT_ENTRY_UNKNOWN"
    row = kinds.add(office.authority, entry).entry
    kinds.withdraw(office.authority, row.id)
    (kept,) = [item for item in kinds.all() if item.id == row.id]
    assert kept.withdrawn


# Publication


def test_published_once_the_officer_signed(office: Department) -> None:
    ledger, code = office.ledger, "published"
    office.put(code)
    ledger.catalogue.submit(office.provider, code)
    assert refusal(lambda: ledger.publications.publish(office.provider, code)).code == "MOVE_NOT_ALLOWED"
    statement = office.signed(code)
    ledger.publications.sign(office.cdo, statement)
    assert ledger.publications.sign(office.cdo, statement).state == "cdo_signed", "again is once"
    assert refusal(lambda: ledger.publications.publish(office.stranger, code)).code == "PARTY_LACKS_ROLE"
    row = ledger.publications.publish(office.provider, code)
    assert (row.state, row.published_version) == ("published", 1)
    assert ledger.publications.signature(code, 1) == statement
    assert ledger.publications.signature(code, 2) is None
    assert statement["document_digest"] == ledger.catalogue.get(code)["document_digest"]
    assert ledger.catalogue.registrable(code, 1).code == code


def test_statement_is_in_the_log(office: Department) -> None:
    office.put("logged")
    office.ledger.catalogue.submit(office.provider, "logged")
    statement = office.signed("logged")
    office.ledger.publications.sign(office.cdo, statement)
    place = office.ledger.positions.wait(statement_digest(statement))
    assert place.issuer == office.ledger.installation.issuer


def test_wrong_signer_is_refused(office: Department, pilot: Pilot) -> None:
    ledger, code = office.ledger, "wrong-signer"
    office.put(code)
    ledger.catalogue.submit(office.provider, code)
    draft = ledger.publications.draft(office.cdo, code)
    bank = ledger.custody.signer(ledger.parties.get(pilot.cast.bank).account)
    officer = ledger.custody.signer(ledger.parties.get(office.cdo.party).account)
    other = Actor(pilot.cast.bank, frozenset({Role.CDO}))
    good = sign_entry(draft, officer)
    cases: list[tuple[Actor, dict[str, Any], str]] = [
        (office.cdo, sign_entry(draft, bank), "SIGNER_NOT_CDO"),
        (office.cdo, sign_entry(draft | {"cdo": pilot.cast.bank}, officer), "SIGNER_NOT_CDO"),
        (office.cdo, good | {"version": 2}, "SIGNER_NOT_CDO"),
        (other, sign_entry(draft | {"cdo": pilot.cast.bank}, bank), "NOT_THE_CDO"),
        (office.provider, good, "PARTY_LACKS_ROLE"),
        (office.cdo, sign_entry(draft | {"version": 2}, officer), "VERSION_OUTDATED"),
        (office.cdo, sign_entry(draft | {"document_digest": REPORT}, officer), "VERSION_OUTDATED"),
        (office.cdo, sign_entry(draft | {"iat": draft["iat"] + 10_000}, officer), "SIGNED_IN_FUTURE"),
        (office.cdo, draft, "ENTRY_SHAPE"),
    ]
    for actor, statement, expected in cases:
        error = refusal(lambda actor=actor, statement=statement: ledger.publications.sign(actor, statement))
        assert error.code == expected, error
    assert office.state(code) == "submitted"
    assert refusal(lambda: ledger.publications.draft(other, code)).code == "NOT_THE_CDO"
    assert refusal(lambda: ledger.publications.draft(office.provider, code)).code == "PARTY_LACKS_ROLE"
    ledger.publications.sign(office.cdo, good)
    assert refusal(lambda: ledger.publications.sign(office.cdo, office.signed(code))).code == "MOVE_NOT_ALLOWED"


def test_edited_after_the_draft_was_signed(office: Department) -> None:
    office.put("edited")
    office.ledger.catalogue.submit(office.provider, "edited")
    old = office.signed("edited")
    office.put("edited", title="改过")
    office.ledger.catalogue.submit(office.provider, "edited")
    assert refusal(lambda: office.ledger.publications.sign(office.cdo, old)).code == "VERSION_OUTDATED"


def test_change_of_what_is_published_goes_the_whole_way_again(office: Department) -> None:
    ledger, code = office.ledger, "change"
    office.publish(code)
    office.put(code, title="新题")
    assert (office.state(code), ledger.catalogue.get(code)["published_version"]) == ("changed", 1)
    assert ledger.catalogue.registrable(code).title != "新题"
    assert refusal(lambda: ledger.catalogue.registrable(code, 2)).code == "NOT_PUBLISHED"
    assert refusal(lambda: ledger.publications.publish(office.provider, code)).code == "MOVE_NOT_ALLOWED"
    ledger.catalogue.submit(office.provider, code)
    ledger.publications.sign(office.cdo, office.signed(code))
    assert ledger.publications.publish(office.provider, code).published_version == 2


def test_blocked_is_published_no_more(office: Department) -> None:
    ledger, code = office.ledger, "blocked"
    office.publish(code)
    assert refusal(lambda: ledger.catalogue.block(office.provider, code, "why")).code == "PARTY_LACKS_ROLE"
    assert refusal(lambda: ledger.catalogue.block(office.authority, code, " ")).code == "REASON_MISSING"
    ledger.catalogue.block(office.authority, code, "核查")
    assert refusal(lambda: ledger.catalogue.registrable(code)).code == "NOT_PUBLISHED"
    office.put(code, title="另一题")
    assert ledger.catalogue.get(code)["published_version"] is None


def test_retired_is_final_and_its_versions_stay(office: Department) -> None:
    ledger, code = office.ledger, "retired"
    item = office.publish(code)
    ledger.catalogue.retire(office.provider, code, "停用")
    assert refusal(lambda: office.put(code, title="再来")).code == "MOVE_NOT_ALLOWED"
    assert refusal(lambda: ledger.catalogue.registrable(code)).code == "NOT_PUBLISHED"
    assert ledger.catalogue.document(code, item.version)["code"] == code


def test_officers_are_appointed_by_the_authority(office: Department, pilot: Pilot) -> None:
    publications, department_ = office.ledger.publications, pilot.cast.registrar
    for actor in (office.provider, office.cdo, office.consumer):
        error = refusal(lambda actor=actor: publications.appoint(actor, department_, office.cdo.party))
        assert error.code == "PARTY_LACKS_ROLE"
    own = refusal(lambda: publications.appoint(office.authority, department_, office.authority.party))
    assert own.code == "CDO_NOT_ITS_OWN"
    assert refusal(lambda: publications.appoint(office.authority, department_, department_)).code == "CDO_NOT_ITS_OWN"
    error = refusal(lambda: publications.appoint(office.authority, department_, pilot.cast.bank))
    assert isinstance(error, Conflict) and error.code == "CDO_ROLE_MISSING"


def test_officer_whose_appointment_ended_signs_no_more(office: Department) -> None:
    ledger, code = office.ledger, "ended"
    office.put(code)
    ledger.catalogue.submit(office.provider, code)
    statement = office.signed(code)
    ledger.publications.appoint(office.authority, office.provider.party, None)
    try:
        error = refusal(lambda: ledger.publications.sign(office.cdo, statement))
        assert isinstance(error, Forbidden) and error.code == "NOT_THE_CDO"
    finally:
        ledger.publications.appoint(office.authority, office.provider.party, office.cdo.party)
    ledger.publications.sign(office.cdo, statement)


def test_pages_by_code_and_state(office: Department) -> None:
    office.put("page/a")
    office.put("page/b")
    office.ledger.catalogue.submit(office.provider, "page/b")
    page = office.ledger.catalogue.page("page/", 2)
    assert [row.code for row in page] == ["page/a", "page/b"]
    assert [row.code for row in office.ledger.catalogue.page("page/", 1, "submitted")] == ["page/b"]


# The open catalogue

FREE = Opening("free", "", "CC-BY-4.0")


def test_open_catalogue_shows_the_published_version_with_its_history(office: Department) -> None:
    ledger, code = office.ledger, "open/a"
    office.publish(code, open_attr="open")
    ledger.open_catalogue.open(office.provider, code, FREE)
    office.put(code, open_attr="open", title="未发布")
    assert ledger.open_catalogue.get(code)["resource"]["title"] != "未发布"
    ledger.open_catalogue.open(office.provider, code, Opening("targeted", "签协议", "CC-BY-4.0"))
    told = ledger.open_catalogue.get(code)
    assert [(item["number"], item["open_type"]) for item in told["history"]] == [(1, "free"), (2, "targeted")]
    assert told["history"][0]["withdrawn_at"] is not None and told["open_type"] == "targeted"
    assert [item["code"] for item in ledger.open_catalogue.page("open/", 5)] == [code]
    ledger.catalogue.block(office.authority, code, "核查")
    assert refusal(lambda: ledger.open_catalogue.get(code)).code == "NOT_OPEN"


def test_what_may_not_be_opened(office: Department) -> None:
    ledger = office.ledger
    office.publish("open/none", open_attr="none")
    office.publish("open/conditional", open_attr="conditional")
    office.put("open/draft", open_attr="open")
    opened = ledger.open_catalogue.open
    assert refusal(lambda: opened(office.provider, "open/none", FREE)).code == "NOT_TO_BE_OPENED"
    assert refusal(lambda: opened(office.provider, "open/conditional", FREE)).code == "NOT_TO_BE_OPENED"
    assert refusal(lambda: opened(office.provider, "open/draft", FREE)).code == "NOT_PUBLISHED"
    assert refusal(lambda: opened(office.stranger, "open/conditional", FREE)).code == "PARTY_LACKS_ROLE"
    for wrong in (Opening("other", "x", "L"), Opening("targeted", " ", "L"), Opening("free", "", "")):
        error = refusal(lambda wrong=wrong: opened(office.provider, "open/conditional", wrong))
        assert isinstance(error, InvalidInput) and error.code == "OPENING"
    opened(office.provider, "open/conditional", Opening("authorised", "签协议", "L"))
    ledger.open_catalogue.close(office.provider, "open/conditional")
    assert refusal(lambda: ledger.open_catalogue.get("open/conditional")).code == "NOT_OPEN"
