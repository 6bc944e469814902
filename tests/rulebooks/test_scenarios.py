"""The book of scenarios: the package's scenarios, and the operator's own scenarios."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from ledger.domain.rules.predicates import compute
from ledger.errors import NotFound
from ledger.rulebooks.definitions import MAX_FILE_BYTES
from ledger.rulebooks.scenarios import ScenarioBook
from tests.support.scenario_files import PACKAGED, VALID, refusal, write_scenario


@pytest.mark.parametrize("code", ["S99", "", "s01", "S01 "])
def test_an_unknown_scenario_is_not_found(code: str) -> None:
    book = ScenarioBook.load()
    with pytest.raises(NotFound) as caught:
        book.get(code)
    assert (caught.value.code, caught.value.where) == ("SCENARIO_UNKNOWN", "scenario")
    assert caught.value.hint == f"Use one of: {', '.join(scenario.code for scenario in book.all())}."


def test_a_new_scenario_in_the_operators_folder_is_loaded(tmp_path: Path) -> None:
    write_scenario(tmp_path)
    book = ScenarioBook.load(tmp_path)
    scenario = book.get("S77")
    assert len(book.all()) == len(PACKAGED) + 1
    assert scenario.title.en == "Pilot"
    assert scenario.pilot_from == date(2026, 1, 1), "a day is read without quotes"
    rows = [{"month": "202601", "kwh": "9"}, {"month": "202602", "kwh": "15"}]
    assert [compute(field.rule, rows, {}) for field in scenario.fields] == [2, "10–20"]


def test_a_day_in_quotes_is_read_like_a_day_without_quotes(tmp_path: Path) -> None:
    write_scenario(tmp_path)
    plain = ScenarioBook.load(tmp_path).get("S77")
    write_scenario(tmp_path, VALID.replace("2026-01-01", '"2026-01-01"'))
    assert ScenarioBook.load(tmp_path).get("S77") == plain


def test_a_scenario_in_the_folder_replaces_the_packages_scenario(tmp_path: Path) -> None:
    write_scenario(tmp_path, VALID.replace("S77", "S01").replace("version: 1", "version: 2"), "any-name.yaml")
    book = ScenarioBook.load(tmp_path)
    assert (book.get("S01").version, book.get("S01").title.en) == (2, "Pilot")
    assert len(book.all()) == len(PACKAGED)
    assert ScenarioBook.load().get("S01").version == 1


def test_files_in_the_folder_that_are_not_yaml_are_ignored(tmp_path: Path) -> None:
    write_scenario(tmp_path, "no scenario", "README.md")
    assert len(ScenarioBook.load(tmp_path).all()) == len(PACKAGED)


def test_two_scenario_files_with_an_equal_code_are_refused(tmp_path: Path) -> None:
    write_scenario(tmp_path, name="a.yaml")
    write_scenario(tmp_path, name="b.yaml")
    error = refusal(tmp_path)
    assert (error.code, error.where) == ("SCENARIO_TWICE", "b.yaml")
    assert "S77" in error.message and "a.yaml" in error.message


@pytest.mark.parametrize("name", ["none", "file.txt"])
def test_a_missing_folder_is_refused(tmp_path: Path, name: str) -> None:
    write_scenario(tmp_path, name="file.txt")
    error = refusal(tmp_path / name)
    assert (error.code, error.where) == ("FILE_MISSING", str(tmp_path / name))


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    comment = "#" * (MAX_FILE_BYTES - len(VALID.encode()) - 1) + "\n"
    write_scenario(tmp_path, comment + VALID)
    assert ScenarioBook.load(tmp_path).get("S77")
    write_scenario(tmp_path, "#" + comment + VALID)
    error = refusal(tmp_path)
    assert (error.code, error.where) == ("SCENARIO_INVALID", "pilot.yaml")
