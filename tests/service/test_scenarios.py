"""The scenario book: the package's scenarios, an operator's own, and where a file is wrong."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest
import yaml

from ledger.domain.canonical import canonical, digest
from ledger.domain.scenario import scenario_of
from ledger.errors import InvalidInput, NotFound
from ledger.service.definitions import MAX_FILE_BYTES
from ledger.service.scenarios import ScenarioBook

PACKAGED = sorted(Path(str(files("ledger") / "scenarios")).glob("*.yaml"))
VALID = """\
code: S77
version: 1
standing: proposed
title: {zh: 试点, en: Pilot}
purpose:
  zh: 用途
  en: Purpose
domain: 普惠金融
consumer_kinds: [bank]
provider_kinds: [utility]
subject_kinds: [enterprise]
legal_basis: consent
payload_mode: predicate
max_validity_days: 30
max_uses: 1
retention_days: 30
channels: [subject_carried]
grade: general_3
fields:
  - name: months
    title: {zh: 月数, en: Months}
    type: integer
    rule: {op: count_distinct, column: month}
  - name: band
    title: {zh: 区间, en: Band}
    type: band
    rule:
      op: band
      column: kwh
      order: month
      edges: ["10", "20"]
rights_duties:
  subject: [be_informed]
  provider: [correct_errors]
  consumer: [delete_it]
"""


def write(folder: Path, text: str = VALID, name: str = "pilot.yaml") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def refusal(folder: Path) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        ScenarioBook.load(folder)
    return caught.value


# --- the package's own


@pytest.mark.parametrize("path", PACKAGED, ids=lambda path: path.name)
def test_packaged_scenario(path: Path) -> None:
    raw = yaml.safe_load(path.read_text("utf-8"))
    scenario = ScenarioBook.load().get(path.stem)
    assert scenario == scenario_of(raw, path.name)
    assert scenario.code == path.stem
    assert scenario.digest == digest(canonical(raw))
    assert scenario.max_uses == 1, "one authorization, one use"


def test_book_is_in_the_order_of_codes() -> None:
    codes = [scenario.code for scenario in ScenarioBook.load().all()]
    assert codes == sorted(path.stem for path in PACKAGED)
    assert {"S00", "S01", "S51"} <= set(codes)


def test_registration_has_no_parties_of_a_request() -> None:
    registration = ScenarioBook.load().get("S00")
    assert not registration.fields
    assert not registration.subject_kinds | registration.consumer_kinds | registration.provider_kinds


@pytest.mark.parametrize("code", ["S99", "", "s01", "S01 "])
def test_unknown_scenario(code: str) -> None:
    book = ScenarioBook.load()
    with pytest.raises(NotFound) as caught:
        book.get(code)
    assert (caught.value.code, caught.value.where) == ("SCENARIO_UNKNOWN", "scenario")
    assert caught.value.hint == f"One of: {', '.join(scenario.code for scenario in book.all())}."


# --- a folder of an operator


def test_new_scenario_of_a_folder(tmp_path: Path) -> None:
    write(tmp_path)
    book = ScenarioBook.load(tmp_path)
    assert book.get("S77").title.en == "Pilot"
    assert len(book.all()) == len(PACKAGED) + 1


def test_scenario_of_a_folder_replaces_by_code(tmp_path: Path) -> None:
    write(tmp_path, VALID.replace("S77", "S01").replace("version: 1", "version: 2"), "any-name.yaml")
    book = ScenarioBook.load(tmp_path)
    assert (book.get("S01").version, book.get("S01").title.en) == (2, "Pilot")
    assert len(book.all()) == len(PACKAGED)
    assert ScenarioBook.load().get("S01").version == 1


def test_other_files_are_no_scenarios(tmp_path: Path) -> None:
    write(tmp_path, "no scenario", "README.md")
    assert len(ScenarioBook.load(tmp_path).all()) == len(PACKAGED)


def test_two_files_of_one_code(tmp_path: Path) -> None:
    write(tmp_path, name="a.yaml")
    write(tmp_path, name="b.yaml")
    error = refusal(tmp_path)
    assert error.code == "SCENARIO_TWICE"
    assert "S77" in error.message


@pytest.mark.parametrize("name", ["none", "file.txt"])
def test_folder_that_is_missing(tmp_path: Path, name: str) -> None:
    write(tmp_path, name="file.txt")
    error = refusal(tmp_path / name)
    assert (error.code, error.where) == ("FILE_MISSING", str(tmp_path / name))


def test_file_that_is_too_large(tmp_path: Path) -> None:
    comment = "#" * (MAX_FILE_BYTES - len(VALID.encode()) - 1) + "\n"
    write(tmp_path, comment + VALID)
    assert ScenarioBook.load(tmp_path).get("S77")
    write(tmp_path, "#" + comment + VALID)
    error = refusal(tmp_path)
    assert (error.code, error.where) == ("SCENARIO_INVALID", "pilot.yaml")


# What is written instead of what, and where the error points to.
WRONG = {
    "first member": ("code: S77", "code: S7", "line 1: code"),
    "member of one line": ("max_uses: 1", "max_uses: many", "line 15: max_uses"),
    "list": ("channels: [subject_carried]", "channels: [e-mail]", "line 17: channels"),
    "nested in one line": ("title: {zh: 试点, en: Pilot}", 'title: {zh: "", en: Pilot}', "line 4: title: zh"),
    "nested in lines": ("  en: Purpose", '  en: ""', "line 7: purpose: en"),
    "first field": ("type: integer", "type: float", "line 22: fields[0]: type"),
    "second field": ("type: band", "type: float", "line 26: fields[1]: type"),
    "rule": ("op: band", "op: sum", "line 28: fields[1].rule"),
    "member of a rule": ('edges: ["10", "20"]', 'edges: ["20", "10"]', "line 31: fields[1].rule.edges"),
    "duties": ("  consumer: [delete_it]", "  consumer: []", "line 35: rights_duties: consumer"),
    "unknown member": ("grade: general_3", "grade: general_3\npilot_to: 2026-12-31", "line 19: pilot_to"),
    "member missing": ("grade: general_3\n", "", "line 1: grade"),
    "member of a field missing": ("    type: band\n", "", "line 24: fields[1]: type"),
    "member of a title missing": ("  en: Purpose\n", "", "line 6: purpose: en"),
}


@pytest.mark.parametrize(("old", "new", "where"), WRONG.values(), ids=WRONG.keys())
def test_file_line_and_member(tmp_path: Path, old: str, new: str, where: str) -> None:
    assert VALID.count(old) == 1
    write(tmp_path, VALID.replace(old, new))
    error = refusal(tmp_path)
    assert error.code == ("RULE_INVALID" if "rule" in where.split(": ")[1] else "SCENARIO_INVALID")
    assert error.where == f"pilot.yaml, {where}"


NOT_YAML = {
    "list that does not end": ("code: S77\nchannels: [a\n", "pilot.yaml, line 3"),
    "tabulator": ("code: S77\n\tversion: 1\n", "pilot.yaml, line 2"),
    "mapping as a key": ("code: S77\n{a: 1}: 2\n", "pilot.yaml, line 2"),
    "object of the language": ("code: S77\nversion: !!python/object:os.system {}\n", "pilot.yaml, line 2"),
    "two documents": ("code: S77\n---\ncode: S78\n", "pilot.yaml, line 2"),
    "control character": ("code: S77\x00\n", "pilot.yaml"),
}


@pytest.mark.parametrize(("text", "where"), NOT_YAML.values(), ids=NOT_YAML.keys())
def test_file_that_is_not_yaml(tmp_path: Path, text: str, where: str) -> None:
    write(tmp_path, text)
    error = refusal(tmp_path)
    assert (error.code, error.where) == ("SCENARIO_INVALID", where)


@pytest.mark.parametrize("text", ["", "- code: S77\n", "S77\n"], ids=["empty", "list", "text"])
def test_file_that_is_no_mapping(tmp_path: Path, text: str) -> None:
    write(tmp_path, text)
    error = refusal(tmp_path)
    assert (error.code, error.where) == ("SCENARIO_INVALID", "pilot.yaml")


def test_one_bad_file_and_nothing_is_loaded(tmp_path: Path) -> None:
    write(tmp_path, name="a.yaml")
    write(tmp_path, "code: [", name="b.yaml")
    assert (refusal(tmp_path).where or "").startswith("b.yaml")


BROKEN = {
    "a key twice": (b"code: S01\ncode: S02\n", "S99.yaml, line 2"),
    "not UTF-8": (b"\xff\xfe", "S99.yaml"),
    "an impossible date": (b"code: 2026-13-45\n", "S99.yaml"),
    "nested without end": (b"a: " + b"[" * 5000, "S99.yaml"),
}


@pytest.mark.parametrize(("content", "where"), BROKEN.values(), ids=BROKEN)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes, where: str) -> None:
    (tmp_path / "S99.yaml").write_bytes(content)
    with pytest.raises(InvalidInput) as caught:
        ScenarioBook.load(tmp_path)
    assert (caught.value.code, str(caught.value.where)[: len(where)]) == ("SCENARIO_INVALID", where)
