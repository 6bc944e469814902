"""The open catalogue: which resources can be put into it, and what it shows."""

from __future__ import annotations

from ledger.catalogue.open_catalogue import Opening
from ledger.errors import InvalidInput
from tests.support.actors.department import Department, refusal

FREE = Opening("free", "", "CC-BY-4.0")


def test_the_open_catalogue_shows_the_published_version_and_its_history(office: Department) -> None:
    ledger, code = office.ledger, "open/a"
    office.publish(code, open_attr="open")
    ledger.catalogue.open_catalogue.open(office.provider, code, FREE)
    office.put(code, open_attr="open", title="未发布")
    assert ledger.catalogue.open_catalogue.get(code)["resource"]["title"] != "未发布"
    ledger.catalogue.open_catalogue.open(office.provider, code, Opening("targeted", "签协议", "CC-BY-4.0"))
    item = ledger.catalogue.open_catalogue.get(code)
    assert [(item["number"], item["open_type"]) for item in item["history"]] == [(1, "free"), (2, "targeted")]
    assert item["history"][0]["withdrawn_at"] is not None and item["open_type"] == "targeted"
    assert [item["code"] for item in ledger.catalogue.open_catalogue.page("open/", 5)] == [code]
    ledger.catalogue.data.block(office.authority, code, "核查")
    assert refusal(lambda: ledger.catalogue.open_catalogue.get(code)).code == "NOT_OPEN"


def test_a_resource_that_may_not_be_in_the_open_catalogue_is_refused(office: Department) -> None:
    ledger = office.ledger
    office.publish("open/none", open_attr="none")
    office.publish("open/conditional", open_attr="conditional")
    office.put("open/draft", open_attr="open")
    opened = ledger.catalogue.open_catalogue.open
    assert refusal(lambda: opened(office.provider, "open/none", FREE)).code == "NOT_TO_BE_OPENED"
    assert refusal(lambda: opened(office.provider, "open/conditional", FREE)).code == "NOT_TO_BE_OPENED"
    assert refusal(lambda: opened(office.provider, "open/draft", FREE)).code == "NOT_PUBLISHED"
    assert refusal(lambda: opened(office.stranger, "open/conditional", FREE)).code == "PARTY_LACKS_ROLE"
    for wrong in (Opening("other", "x", "L"), Opening("targeted", " ", "L"), Opening("free", "", "")):
        error = refusal(lambda wrong=wrong: opened(office.provider, "open/conditional", wrong))
        assert isinstance(error, InvalidInput) and error.code == "OPENING"
    opened(office.provider, "open/conditional", Opening("authorised", "签协议", "L"))
    ledger.catalogue.open_catalogue.close(office.provider, "open/conditional")
    assert refusal(lambda: ledger.catalogue.open_catalogue.get("open/conditional")).code == "NOT_OPEN"
