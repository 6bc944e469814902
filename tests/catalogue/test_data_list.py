"""The data list: versions of resources, their providers and systems, and entries that were retired."""

from __future__ import annotations

from dataclasses import replace

from ledger.catalogue.systems import SystemEntry
from ledger.domain.resource import ResourceField
from ledger.errors import NotFound
from tests.support.actors.department import Department, refusal, resource


def test_a_changed_description_adds_a_version_and_keeps_the_old_versions(office: Department) -> None:
    catalogue = office.ledger.catalogue.data
    first = office.put("versions")
    second = office.put("versions", title="企业用电（更正）", fields=(*first.fields, ResourceField("area", "text")))
    assert office.ledger.catalogue.data.put(office.provider, second).verdict == "unchanged"
    assert catalogue.document("versions", 1) == first.to_dict()
    assert catalogue.document("versions", 2) == second.to_dict()
    assert catalogue.get("versions")["resource"] == second.to_dict()
    assert [change["where"] for change in catalogue.diff("versions", 1, 2)] == ["title", "fields.area"]
    assert [(event["version"], event["move"]) for event in catalogue.history("versions")] == [(1, "edit"), (2, "edit")]


def test_an_unknown_resource_or_version_is_not_found(office: Department) -> None:
    office.put("known")
    for act, code in (
        (lambda: office.ledger.catalogue.data.get("unknown"), "RESOURCE_UNKNOWN"),
        (lambda: office.ledger.catalogue.data.history("unknown"), "RESOURCE_UNKNOWN"),
        (lambda: office.ledger.catalogue.data.document("known", 2), "VERSION_UNKNOWN"),
    ):
        error = refusal(act)
        assert isinstance(error, NotFound) and error.code == code


def test_only_the_provider_can_edit_a_resource(office: Department) -> None:
    office.put("mine")
    catalogue = office.ledger.catalogue.data
    changed = resource("mine", title="别人的")
    assert refusal(lambda: catalogue.put(office.stranger, changed)).code == "NOT_THE_PROVIDER"
    assert refusal(lambda: catalogue.put(office.cdo, changed)).code == "PARTY_LACKS_ROLE"
    assert refusal(lambda: catalogue.put(office.consumer, changed)).code == "PARTY_LACKS_ROLE"
    assert refusal(lambda: catalogue.submit(office.stranger, "mine")).code == "PARTY_LACKS_ROLE"
    assert refusal(lambda: catalogue.submit(office.cdo, "mine")).code == "PARTY_LACKS_ROLE"
    assert refusal(lambda: catalogue.retire(office.cdo, "mine", "no")).code == "PARTY_LACKS_ROLE"
    assert catalogue.get("mine")["version"] == 1


def test_a_resource_whose_system_is_not_in_the_system_list_is_refused(office: Department) -> None:
    systems = office.ledger.catalogue.systems
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


def test_a_blocked_resource_is_no_longer_published(office: Department) -> None:
    ledger, code = office.ledger, "blocked"
    office.publish(code)
    assert refusal(lambda: ledger.catalogue.data.block(office.provider, code, "why")).code == "PARTY_LACKS_ROLE"
    assert refusal(lambda: ledger.catalogue.data.block(office.authority, code, " ")).code == "REASON_MISSING"
    ledger.catalogue.data.block(office.authority, code, "核查")
    assert refusal(lambda: ledger.catalogue.data.registrable(code)).code == "NOT_PUBLISHED"
    office.put(code, title="另一题")
    assert ledger.catalogue.data.get(code)["published_version"] is None


def test_a_retired_resource_cannot_be_changed_and_keeps_its_versions(office: Department) -> None:
    ledger, code = office.ledger, "retired"
    item = office.publish(code)
    ledger.catalogue.data.retire(office.provider, code, "停用")
    assert refusal(lambda: office.put(code, title="再来")).code == "MOVE_NOT_ALLOWED"
    assert refusal(lambda: ledger.catalogue.data.registrable(code)).code == "NOT_PUBLISHED"
    assert ledger.catalogue.data.document(code, item.version)["code"] == code


def test_pages_of_the_data_list_are_ordered_by_code_and_filtered_by_state(office: Department) -> None:
    office.put("page/a")
    office.put("page/b")
    office.ledger.catalogue.data.submit(office.provider, "page/b")
    page = office.ledger.catalogue.data.page("page/", 2)
    assert [row.code for row in page] == ["page/a", "page/b"]
    assert [row.code for row in office.ledger.catalogue.data.page("page/", 1, "submitted")] == ["page/b"]
