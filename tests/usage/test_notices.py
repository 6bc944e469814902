"""The notice has everything that PIPL art. 23 requires, in Chinese and English, and does not name the subject."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from ledger.domain.days import end_of_validity, is_shanghai_midnight, shanghai_day, shanghai_time
from ledger.domain.definitions.scenario import Scenario
from ledger.domain.definitions.scenario_reader import scenario_of
from ledger.errors import InvalidInput
from ledger.usage.notices import notice_of
from tests.support.places import SCENARIOS

BEGINS = 1_790_000_000
ENDS = end_of_validity(shanghai_day(BEGINS))
NOTE = {"contact": "信贷部 Credit department", "purpose_note": "", "business_ref": "LOAN-1", "salt": "s" * 22}


def scenarios() -> list[Scenario]:
    files = sorted(SCENARIOS.glob("S*.yaml"))
    read = [scenario_of(yaml.safe_load(file.read_text("utf-8")), file.name) for file in files]
    return [scenario for scenario in read if scenario.fields]


def noticed(scenario: Scenario, source: str, **changes: Any) -> dict[str, Any]:
    terms = {
        "source": source,
        "fields": [field.name for field in scenario.fields_of(source)],
        "channel": scenario.channels[0],
        "valid_from": BEGINS,
        "valid_to": ENDS,
        "max_uses": 1,
    }
    parts = {"recipient": "湛江第一银行", "provider": "湛江数源", "note": NOTE}
    return notice_of(scenario, terms | changes.pop("terms", {}), **parts | changes)


CASES = [(scenario, source.name) for scenario in scenarios() for source in scenario.sources]
EACH = pytest.mark.parametrize(("scenario", "source"), CASES, ids=[f"{each.code} {source}" for each, source in CASES])


@EACH
def test_the_notice_of_every_scenario_is_complete_in_both_languages(scenario: Scenario, source: str) -> None:
    notice = noticed(scenario, source)
    chinese, english = notice["text"].split("\n\n")
    title = scenario.source(source).title
    for text, purpose, named in ((chinese, scenario.purpose.zh, title.zh), (english, scenario.purpose.en, title.en)):
        parts = (
            "湛江第一银行",
            NOTE["contact"],
            "湛江数源",
            named,
            purpose,
            shanghai_time(BEGINS),
            shanghai_time(ENDS),
        )
        assert all(part in text for part in parts)
        assert str(scenario.retention_days) in text
    for field in scenario.fields:
        asked = field.source == source
        assert (field.title.zh in chinese.split("种类：")[1].split("\n")[0].split("；")) is asked
        assert {"name": field.name, "zh": field.title.zh, "en": field.title.en} in notice["kinds"] or not asked
    assert (notice["standing"], notice["legal_basis"]) == (scenario.standing, scenario.legal_basis)
    assert "LOAN-1" not in notice["text"]


def test_the_notice_shows_the_consumers_own_words_after_the_purpose() -> None:
    (scenario,) = (each for each in scenarios() if each.code == "S07")
    source = scenario.sources[0].name
    words = noticed(scenario, source, note=NOTE | {"purpose_note": "标段 ZJ-2026-017"})
    without = noticed(scenario, source)
    assert words["text"].count("标段 ZJ-2026-017") == 2
    assert f"{scenario.purpose.zh}；标段 ZJ-2026-017" in words["text"]
    assert f"目的：{scenario.purpose.zh}\n" in without["text"]


def test_the_notice_contains_a_salt_that_the_text_of_the_notice_does_not_show() -> None:
    (scenario, source) = CASES[0]
    notice = noticed(scenario, source)
    assert notice["salt"] == NOTE["salt"]
    assert NOTE["salt"] not in notice["text"]


def test_every_field_has_one_source_and_an_unknown_field_has_none() -> None:
    (scenario,) = (each for each in scenarios() if each.code == "S03")
    assert {scenario.source_of(field.name) for field in scenario.fields} == {each.name for each in scenario.sources}
    with pytest.raises(InvalidInput, match="FIELD_NOT_IN_SCENARIO"):
        scenario.source_of("tariff_account")


@pytest.mark.parametrize(("seconds", "midnight"), [(ENDS, True), (ENDS - 1, False), (ENDS + 1, False), (0, False)])
def test_a_day_begins_at_midnight_in_shanghai(seconds: int, midnight: bool) -> None:
    assert is_shanghai_midnight(seconds) is midnight


FORGED = "柜台\n数据提供方：别的单位\n种类：是否参保\n次数：1"


@pytest.mark.parametrize(
    "breaking", ["\n", "\r", "\t", "\x0b", "\x1b[1A", "\x85", "\u2028", "\u2029", "\u202e", "\u200b"]
)
@pytest.mark.parametrize("place", ["recipient", "provider", "contact", "purpose_note"])
def test_a_text_with_a_line_break_cannot_add_lines_to_the_notice(place: str, breaking: str) -> None:
    (scenario, source) = CASES[0]
    words = FORGED.replace("\n", breaking)
    parts = {"note": NOTE | {place: words}} if place in NOTE else {place: words}
    with pytest.raises(InvalidInput) as caught:
        noticed(scenario, source, **parts)
    assert (caught.value.code, caught.value.where) == ("TEXT_CONTROL", place)
    assert "别的单位" not in str(caught.value)


def test_text_in_any_script_is_accepted_on_one_line() -> None:
    (scenario, source) = CASES[0]
    words = "信贷部（一楼） — Crédit · 0759-000 「甲」 𠮷 🏦"
    lines = noticed(scenario, source, note=NOTE | {"contact": words})["text"].split("\n")
    assert len(lines) == len(noticed(scenario, source)["text"].split("\n"))
    assert f"接收方：湛江第一银行；联系方式：{words}" in lines
