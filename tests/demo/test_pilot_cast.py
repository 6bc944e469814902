"""The pilot's parties, and how the columns of its data become rows of sources; tested without a ledger or a chain."""

from __future__ import annotations

from collections import Counter

import pytest

from ledger.demo.data.catalogue import Library
from ledger.demo.data.mapping import MAPPING, rows_of
from ledger.demo.data.mixture import EARLY, Fate, fate_of
from ledger.demo.data.panels import Panel, read_panels
from ledger.demo.data.people import members_of, subjects_of
from ledger.domain.codes import SYNTHETIC_REGION, check_resident_id, check_uscc
from ledger.domain.parties import PartyKind
from ledger.domain.rules.predicates import compute
from ledger.rulebooks.scenarios import ScenarioBook

TWELVE = [f"S{number:02d}" for number in range(1, 13)]
BOOK = ScenarioBook.load()
ONCE_OR_TWICE = {Fate.TIMED_OUT, Fate.CORRECTED, Fate.CROOKED, Fate.ALTERED_CLAIM, Fate.SWAPPED, Fate.HELD}
EVERYWHERE = set(Fate) - ONCE_OR_TWICE


@pytest.fixture(scope="module")
def panels() -> dict[str, Panel]:
    return read_panels(Library())


def test_the_mapping_of_every_source_has_the_columns_that_the_rules_read() -> None:
    wanted = {
        (code, source.name): set(BOOK.get(code).columns_of(source.name))
        for code in TWELVE
        for source in BOOK.get(code).sources
    }
    assert {key: {mapped.period, *mapped.cells} for key, mapped in MAPPING.items()} == wanted


@pytest.mark.parametrize(("code", "source"), MAPPING, ids="-".join)
def test_the_rules_can_compute_their_claims_from_the_rows_of_every_subject(
    panels: dict[str, Panel], code: str, source: str
) -> None:
    mapped = MAPPING[code, source]
    for number, panel in panels[mapped.panel].items():
        months = [f"2026{month:02d}" for month in range(1, len(panel) + 1)]
        rows = rows_of(mapped, number, list(panel), months)
        for field in BOOK.get(code).fields_of(source):
            assert compute(field.rule, rows, {"name": "示例企业", "uscc": "91440802MA9X00011Y"}) not in ("", [])


def test_each_public_data_set_has_the_documented_number_of_subjects(panels: dict[str, Panel]) -> None:
    assert {code: len(panel) for code, panel in panels.items()} == {
        "wooldridge/wagepan": 545,
        "Ecdat/Wages": 595,
        "plm/EmplUK": 140,
    }


def test_each_subject_has_its_own_name_and_a_valid_invented_identifier(panels: dict[str, Panel]) -> None:
    subjects = subjects_of(panels, 10_000)
    assert len(subjects) == 1_280
    for texts in ({one.part.name for one in subjects}, {one.part.identifier for one in subjects}):
        assert len(texts) == len(subjects)
    for one in subjects:
        person = one.part.kind is PartyKind.PERSON
        (check_resident_id if person else check_uscc)(one.part.identifier)
        assert not person or one.part.identifier.startswith(SYNTHETIC_REGION)
    assert len(subjects_of(panels, 1_000)) == 1_000


def test_each_scenario_has_a_subject_for_every_planned_outcome_and_most_outcomes_are_ordinary(
    panels: dict[str, Panel],
) -> None:
    members = members_of(subjects_of(panels, 1_000), early=True)
    assert list(members) == TWELVE
    for scenario, group in members.items():
        fates = Counter(member.fate for member in group)
        assert set(fates) >= EVERYWHERE
        assert fates[Fate.ORDINARY] > len(group) / 2
        assert all(member.subject.part.kind in BOOK.get(scenario).subject_kinds for member in group)


def test_an_outcome_that_takes_days_is_planned_only_for_subjects_with_early_requests() -> None:
    assert not EARLY & {fate_of("S01", place, early=False) for place in range(400)}
