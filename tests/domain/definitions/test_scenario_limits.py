"""The limits that a scenario sets for an authorization: fields, period, uses, channels, kinds, sources, pilot period,
note.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from ledger.domain.days import DAY
from ledger.domain.definitions.reader import Bilingual
from ledger.domain.definitions.scenario_reader import scenario_of
from ledger.domain.parties import PartyKind
from ledger.errors import Forbidden, InvalidInput
from tests.support.scenario_definitions import DEFINITION, changed

SCENARIO = scenario_of(DEFINITION, "S01.yaml")


@pytest.mark.parametrize("names", [["subject_name"], ["months_covered", "subject_name"]])
def test_fields_of_the_scenario_are_accepted(names: list[str]) -> None:
    SCENARIO.require_fields(names)
    SCENARIO.require_fields(iter(names))


FIELDS_REFUSED = {
    "none": ([], "FIELDS_REPEATED"),
    "twice": (["subject_name", "subject_name"], "FIELDS_REPEATED"),
    "outside": (["subject_name", "phone"], "FIELD_NOT_IN_SCENARIO"),
    "outside and twice": (["phone", "phone"], "FIELD_NOT_IN_SCENARIO"),
    "another case": (["Subject_name"], "FIELD_NOT_IN_SCENARIO"),
}


@pytest.mark.parametrize(("names", "code"), FIELDS_REFUSED.values(), ids=FIELDS_REFUSED.keys())
def test_fields_outside_the_scenario_and_repeated_fields_are_refused(names: list[str], code: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        SCENARIO.require_fields(names)
    assert (caught.value.code, caught.value.where) == (code, "fields")
    if code == "FIELD_NOT_IN_SCENARIO":
        assert caught.value.hint == "Allowed fields: subject_name, months_covered, usage, owes."


START = 1_800_000_000


@pytest.mark.parametrize(
    ("seconds", "fits"),
    [(-1, False), (0, False), (1, True), (30 * DAY - 1, True), (30 * DAY, True), (30 * DAY + 1, False)],
)
def test_period_is_accepted_only_within_the_limits_of_the_scenario(seconds: int, fits: bool) -> None:
    if fits:
        SCENARIO.require_period(START, START + seconds)
        return
    with pytest.raises(InvalidInput) as caught:
        SCENARIO.require_period(START, START + seconds)
    assert (caught.value.code, caught.value.where) == ("PERIOD_NOT_IN_SCENARIO", "valid_to")


@pytest.mark.parametrize(("uses", "fits"), [(-1, False), (0, False), (1, True), (3, True), (4, False)])
def test_the_number_of_uses_is_accepted_only_up_to_the_limit_of_the_scenario(uses: int, fits: bool) -> None:
    if fits:
        SCENARIO.require_uses(uses)
        return
    with pytest.raises(InvalidInput) as caught:
        SCENARIO.require_uses(uses)
    assert (caught.value.code, caught.value.where) == ("USES_NOT_IN_SCENARIO", "max_uses")


def test_only_the_channels_of_the_scenario_are_accepted() -> None:
    SCENARIO.require_channel("subject_carried")
    for channel in ("licensed_credit_agency", "", "e-mail"):
        with pytest.raises(InvalidInput) as caught:
            SCENARIO.require_channel(channel)
        assert (caught.value.code, caught.value.where) == ("CHANNEL_NOT_IN_SCENARIO", "channel")
        assert caught.value.hint == "Allowed channels: subject_carried, government_platform."


@pytest.mark.parametrize("kind", PartyKind)
@pytest.mark.parametrize(
    ("part", "require", "kinds"),
    [
        ("subject", SCENARIO.require_subject_kind, {"enterprise", "public_inst"}),
        ("consumer", SCENARIO.require_consumer_kind, {"bank"}),
        ("provider", partial(SCENARIO.require_provider_kind, "electricity"), {"utility"}),
        ("provider", partial(SCENARIO.require_provider_kind, "tax"), {"gov_dept", "public_inst"}),
    ],
    ids=["subject", "consumer", "provider of electricity", "provider of tax"],
)
def test_only_the_kinds_of_party_that_the_scenario_allows_are_accepted(
    part: str, require: Any, kinds: set[str], kind: PartyKind
) -> None:
    if kind in kinds:
        require(kind)
        return
    with pytest.raises(Forbidden) as caught:
        require(kind)
    assert (caught.value.code, caught.value.where) == ("KIND_NOT_IN_SCENARIO", part)
    assert ", ".join(sorted(kinds)) in caught.value.message


def test_a_scenario_that_allows_no_kind_of_party_refuses_every_party() -> None:
    closed = scenario_of(changed(("subject_kinds",), []), "S01.yaml")
    with pytest.raises(Forbidden) as caught:
        closed.require_subject_kind(PartyKind.PERSON)
    assert "none" in caught.value.message


# --- the sources of a scenario


def test_each_source_of_a_scenario_has_a_title_and_fields_and_columns() -> None:
    assert SCENARIO.source("tax").title == Bilingual("税务", "Tax")
    assert [field.name for field in SCENARIO.fields_of("electricity")] == ["subject_name", "months_covered", "usage"]
    assert SCENARIO.columns_of("electricity") == ("month", "kwh")
    assert SCENARIO.columns_of("tax") == ("month", "owes")


@pytest.mark.parametrize(
    ("fields", "columns"),
    [
        ([], ()),
        (["subject_name"], ()),
        (["months_covered", "owes"], ("month",)),
        (["usage"], ("month", "kwh")),
    ],
)
def test_only_the_columns_that_the_given_fields_need_are_returned(fields: list[str], columns: tuple[str, ...]) -> None:
    assert SCENARIO.columns_of("electricity", iter(fields)) == columns


@pytest.mark.parametrize("name", ["water", "", "Tax"])
def test_unknown_source_is_refused(name: str) -> None:
    for ask in (SCENARIO.source, SCENARIO.fields_of, SCENARIO.columns_of):
        with pytest.raises(InvalidInput) as caught:
            ask(name)
        assert (caught.value.code, caught.value.where) == ("SOURCE_NOT_IN_SCENARIO", "source")
        assert caught.value.hint == "Sources of the scenario: electricity, tax."
    with pytest.raises(InvalidInput, match="SOURCE_NOT_IN_SCENARIO"):
        SCENARIO.require_provider_kind(name, PartyKind.UTILITY)


# --- the pilot period and the note

OPENS = int(datetime(2026, 2, 28, 16, tzinfo=UTC).timestamp())
CLOSES = int(datetime(2026, 12, 31, 16, tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("at", "is_open"),
    [(0, False), (OPENS - 1, False), (OPENS, True), (CLOSES - 1, True), (CLOSES, False), (2**40 - 1, False)],
    ids=["long ago", "the second before", "Shanghai midnight", "the last second", "the midnight after", "far ahead"],
)
def test_pilot_period_begins_and_ends_at_midnight_in_shanghai(at: int, is_open: bool) -> None:
    if is_open:
        SCENARIO.require_pilot(at)
        return
    with pytest.raises(Forbidden) as caught:
        SCENARIO.require_pilot(at)
    assert (caught.value.code, caught.value.where) == ("PILOT_NOT_OPEN", "scenario")
    assert "2026-03-01 to 2026-12-31 (Asia/Shanghai)" in caught.value.message
    assert caught.value.details == {"pilot_from": "2026-03-01", "pilot_to": "2026-12-31"}


@pytest.mark.parametrize("note", ["", " \n"])
def test_required_note_must_not_be_blank(note: str) -> None:
    SCENARIO.require_note("ZJ-2026-0012 第三标段")
    with pytest.raises(InvalidInput) as caught:
        SCENARIO.require_note(note)
    assert (caught.value.code, caught.value.where) == ("NOTE_MISSING", "note")
    assert "标段编号 number of the tender section" in caught.value.message
    scenario_of(changed(("request_note",), None), "S01.yaml").require_note(note)
