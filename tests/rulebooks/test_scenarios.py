"""The scenario book: an operator's own scenarios beside the package's, and where a file is wrong."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from ledger.cli.main import app
from ledger.domain.rules.predicates import compute
from ledger.errors import InvalidInput, NotFound
from ledger.rulebooks.definitions import MAX_FILE_BYTES
from ledger.rulebooks.scenarios import ScenarioBook
from tests.support.places import PROJECT

PACKAGED = sorted(Path(str(files("ledger") / "scenarios")).glob("*.yaml"))
VALID = """\
code: S77
version: 1
guide_version: 1
standing: proposed
title: {zh: 试点, en: Pilot}
purpose:
  zh: 用途
  en: Purpose
basis_note: {zh: 建议, en: A proposal}
request_note: {zh: 编号, en: A number}
domain: 普惠金融
consumer_kinds: [bank]
subject_kinds: [enterprise]
legal_basis: consent
requires_pia: false
payload_mode: predicate
max_validity_days: 30
max_uses: 1
retention_days: 30
pilot_from: 2026-01-01
pilot_to: "2026-12-31"
channels: [subject_carried]
price: {use: industry, unit: call, cap: 500, amount: 200}
grade: general_3
sources:
  - name: electricity
    title: {zh: 用电, en: Electricity}
    provider_kinds: [utility]
  - name: gas
    title:
      zh: 用气
      en: Gas
    provider_kinds: [utility]
fields:
  - name: months
    title: {zh: 月数, en: Months}
    source: gas
    type: integer
    rule: {op: count_distinct, column: month}
  - name: band
    title: {zh: 区间, en: Band}
    source: electricity
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
    scenario = book.get("S77")
    assert len(book.all()) == len(PACKAGED) + 1
    assert scenario.title.en == "Pilot"
    assert scenario.pilot_from == date(2026, 1, 1), "a day needs no quotes"
    rows = [{"month": "202601", "kwh": "9"}, {"month": "202602", "kwh": "15"}]
    assert [compute(field.rule, rows, {}) for field in scenario.fields] == [2, "10–20"]


def test_quotes_around_a_day_change_nothing(tmp_path: Path) -> None:
    write(tmp_path)
    plain = ScenarioBook.load(tmp_path).get("S77")
    write(tmp_path, VALID.replace("2026-01-01", '"2026-01-01"'))
    assert ScenarioBook.load(tmp_path).get("S77") == plain


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
    assert (error.code, error.where) == ("SCENARIO_TWICE", "b.yaml")
    assert "S77" in error.message and "a.yaml" in error.message


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


def every_member(node: yaml.Node, path: str = "", rule: bool = False) -> Iterator[tuple[str, yaml.Node]]:
    """Each member of the file, as errors name it, and its value in the text."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            name = key.value if not path else f"{path}{'.' if rule else ': '}{key.value}"
            yield name, value
            yield from every_member(value, name, rule=key.value == "rule")
    elif isinstance(node, yaml.SequenceNode) and node.value and isinstance(node.value[0], yaml.MappingNode):
        for number, value in enumerate(node.value):
            yield f"{path}[{number}]", value
            yield from every_member(value, f"{path}[{number}]")


EVERY = dict(every_member(yaml.compose(VALID)))


@pytest.mark.parametrize("member", EVERY)
def test_every_member_that_is_wrong_is_named_with_file_and_line(tmp_path: Path, member: str) -> None:
    node = EVERY[member]
    start = node.start_mark.index
    end = start + len(VALID[start : node.end_mark.index].rstrip())
    write(tmp_path, VALID[:start] + "{wrong: [1.5]}" + VALID[end:])
    error = refusal(tmp_path)
    line = VALID[:start].count("\n") + 1
    # A rule whose op is wrong has no members that could be named.
    named = member.removesuffix(".op")
    assert error.code == ("RULE_INVALID" if "rule" in named else "SCENARIO_INVALID")
    assert str(error.where).startswith(f"pilot.yaml, line {line}: {named}")


# What is written instead of what, the error's code, and where it points to.
WRONG = {
    "first member": ("code: S77", "code: S7", "SCENARIO_INVALID", "line 1: code"),
    "nested in one line": (
        "title: {zh: 试点, en: Pilot}",
        'title: {zh: "", en: A}',
        "SCENARIO_INVALID",
        "line 5: title: zh",
    ),
    "nested in lines": ("  en: Purpose", '  en: ""', "SCENARIO_INVALID", "line 8: purpose: en"),
    "day": ("pilot_from: 2026-01-01", "pilot_from: 2026-13-45", "SCENARIO_INVALID", "line 20: pilot_from"),
    "window": ("pilot_from: 2026-01-01", "pilot_from: 2027-01-01", "SCENARIO_INVALID", "line 21: pilot_to"),
    "free": ("{use: industry", "{use: public", "PRICE_PUBLIC_NOT_FREE", "line 23: price: cap"),
    "cap": ("amount: 200", "amount: 501", "PRICE_OVER_CAP", "line 23: price: amount"),
    "mode": ("payload_mode: predicate", "payload_mode: component", "RULE_OUTSIDE_MODE", "line 39: fields[0]: rule.op"),
    "persons": ("[enterprise]", "[person]", "SCENARIO_INVALID", "line 14: legal_basis"),
    "bank": ("channels: [subject_carried]", "channels: []", "SCENARIO_INVALID", "line 22: channels"),
    "no source": ("source: gas", "source: water", "SCENARIO_INVALID", "line 37: fields[0]: source"),
    "source without a field": ("source: gas", "source: electricity", "SCENARIO_INVALID", "line 29: sources[1]"),
    "source twice": ("name: gas", "name: electricity", "SCENARIO_INVALID", "line 29: sources[1]: name"),
    "type": ("type: band", "type: integer", "SCENARIO_INVALID", "line 43: fields[1]: type"),
    "rule": ("op: band", "op: sum", "RULE_INVALID", "line 45: fields[1]: rule"),
    "member of a rule": (
        'edges: ["10", "20"]',
        'edges: ["20", "10"]',
        "RULE_INVALID",
        "line 48: fields[1]: rule.edges",
    ),
    "unknown member": ("grade: general_3", "grade: general_3\ncap: 1", "SCENARIO_INVALID", "line 25: cap"),
    "member missing": ("grade: general_3\n", "", "SCENARIO_INVALID", "line 1: grade"),
    "member of a field missing": ("    type: band\n", "", "SCENARIO_INVALID", "line 40: fields[1]: type"),
}


@pytest.mark.parametrize(("old", "new", "code", "where"), WRONG.values(), ids=WRONG.keys())
def test_file_line_and_member(tmp_path: Path, old: str, new: str, code: str, where: str) -> None:
    assert VALID.count(old) == 1
    write(tmp_path, VALID.replace(old, new))
    error = refusal(tmp_path)
    assert (error.code, error.where) == (code, f"pilot.yaml, {where}")
    assert error.hint


NOT_YAML = {
    "list that does not end": ("code: S77\nchannels: [a\n", "pilot.yaml, line 2"),
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


# What is written instead of what, the line to look at, and the word that tells what is wrong there.
SLIPS = {
    "full-width colon": ("max_uses: 1", "max_uses：1", 18, "全角"),
    "full-width colon in the first line": ("code: S77", "code：S77", 1, "全角"),
    "full-width colon in a list": ("    source: gas", "    source：gas", 37, "全角"),
    "full-width comma": ("{zh: 试点, en: Pilot}", "{zh: 试点，en: Pilot}", 5, "全角标点"),
    "full-width space": ("max_uses: 1", "max_uses:\u30001", 18, "全角空格"),
    "full-width indent": ("    type: band", "\u3000\u3000type: band", 43, "全角空格"),
    "no space": ("max_uses: 1", "max_uses:1", 18, "缺少空格"),
    "tab for an indent": ("  en: Purpose", "\ten: Purpose", 8, "制表符"),
    "tab after a colon": ("max_uses: 1", "max_uses:\t1", 18, "制表符"),
    "indented too far": ("    type: band", "      type: band", 43, "缩进"),
    "indented too little": ("    type: band", "   type: band", 43, "缩进"),
    "bracket not closed": ("[enterprise]", "[enterprise", 13, "括号"),
    "colon in a text": ("  zh: 用途", "  zh: 用途: 贷款", 7, "冒号"),
    "dash left out": ("  - name: gas", "    name: gas", 29, "缺少“-”"),
    "key twice": ("max_uses: 1", "max_uses: 1\nmax_uses: 2", 19, "重复"),
}


@pytest.mark.parametrize(("old", "new", "line", "word"), SLIPS.values(), ids=SLIPS)
def test_a_slip_of_the_pen_is_told_with_its_line(tmp_path: Path, old: str, new: str, line: int, word: str) -> None:
    assert VALID.count(old) == 1
    write(tmp_path, VALID.replace(old, new))
    error = refusal(tmp_path)
    assert (error.code, error.where) == ("SCENARIO_INVALID", f"pilot.yaml, line {line}")
    assert word in error.message and "。" in error.message


@pytest.mark.parametrize(
    ("old", "new", "meant"),
    [("retention_days: 30", "retention_day: 30", "retention_day"), ("{zh: 试点,", "{zh：试点,", "zh：试点")],
)
def test_a_member_that_is_misspelt_is_named(tmp_path: Path, old: str, new: str, meant: str) -> None:
    write(tmp_path, VALID.replace(old, new))
    assert f"可能误写为 {meant}。" in refusal(tmp_path).message


def test_a_file_saved_in_another_encoding_is_told(tmp_path: Path) -> None:
    (tmp_path / "pilot.yaml").write_bytes(VALID.encode("gbk"))
    assert "另存为 UTF-8" in refusal(tmp_path).message


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
    "nested without end": (b"a: " + b"[" * 2000, "S99.yaml"),
}


@pytest.mark.parametrize(("content", "where"), BROKEN.values(), ids=BROKEN)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes, where: str) -> None:
    (tmp_path / "S99.yaml").write_bytes(content)
    with pytest.raises(InvalidInput) as caught:
        ScenarioBook.load(tmp_path)
    assert (caught.value.code, str(caught.value.where)[: len(where)]) == ("SCENARIO_INVALID", where)


# --- the command line


def command(*arguments: str) -> tuple[int, Any]:
    done = CliRunner().invoke(app, ["scenario", *arguments, "--json"])
    return done.exit_code, json.loads(done.stdout)


def test_own_scenario_is_listed_and_shown_without_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path)
    monkeypatch.setenv("PINGZHENG_SCENARIOS", str(tmp_path))
    code, rows = command("list")
    assert code == 0
    assert {row["code"]: row["依据 standing"] for row in rows}["S77"] == "proposed"
    code, told = command("show", "S77")
    scenario = ScenarioBook.load(tmp_path).get("S77")
    assert (code, told["code"], told["digest"]) == (0, "S77", scenario.digest)
    assert (told["standing"], told["basis_note"]["zh"]) == ("proposed", "建议")
    assert (told["pilot_from"], told["price"]["amount"]) == ("2026-01-01", 200)
    assert [(source["name"], source["columns"]) for source in told["sources"]] == [
        ("electricity", ["month", "kwh"]),
        ("gas", ["month"]),
    ]
    assert told["rule_version"] == "S77/1/engine-2"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("S01", ["有公开案例 documented", "2021", "同意 consent", "持牌征信机构", "元 price", "2030-12-31"]),
        ("S06", ["建议 proposed", "306", "公益使用免费 public use, free"]),
        ("S07", ["标段编号 number of the tender section"]),
        ("S51", ["演示 demonstration", "2.00（上限 cap 10.00）"]),
    ],
)
def test_people_are_shown_what_a_scenario_rests_on(code: str, words: list[str]) -> None:
    shown = CliRunner().invoke(app, ["scenario", "show", code], env={"COLUMNS": "200"})
    assert shown.exit_code == 0
    for word in words:
        assert word in shown.stdout


def test_check_tells_the_mistakes_of_all_files(tmp_path: Path) -> None:
    good = write(tmp_path, name="good.yaml")
    same = write(tmp_path, name="same.yaml")
    bad = write(tmp_path, VALID.replace("max_uses: 1", "max_uses: many"), name="bad.yaml")
    torn = write(tmp_path, "code: [", name="torn.yaml")
    none = tmp_path / "none.yaml"
    paths = [str(path) for path in (bad, good, torn, same, none)]
    code, told = command("check", *paths)
    assert code == 2
    assert [each["file"] for each in told] == paths
    assert [each.get("error") for each in told] == [
        "SCENARIO_INVALID",
        None,
        "SCENARIO_INVALID",
        "SCENARIO_TWICE",
        "FILE_MISSING",
    ]
    assert told[0]["where"] == "bad.yaml, line 18: max_uses"
    assert told[0]["message"] == "应为 1 至 65535 的整数。An integer from 1 to 65535 is expected."
    assert told[1] == {
        "file": str(good),
        "ok": True,
        "code": "S77",
        "version": 1,
        "digest": ScenarioBook.read(good).digest,
    }
    shown = CliRunner().invoke(app, ["scenario", "check", *paths])
    assert shown.exit_code == 2
    for word in ("bad.yaml, line 18: max_uses", "torn.yaml, line 1", "same.yaml", "none.yaml", "位置 where", "应为"):
        assert word in shown.output


def test_check_of_good_files_ends_well() -> None:
    code, told = command("check", *map(str, PACKAGED))
    assert code == 0
    assert [(each["code"], each["ok"]) for each in told] == [(path.stem, True) for path in PACKAGED]


def test_commands_of_the_page_for_authors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(PROJECT)
    page = (PROJECT / "docs" / "scenarios.md").read_text("utf-8")
    lines = [line for line in page.splitlines() if line.startswith("pingzheng ")]
    assert len(lines) == 3
    for line in lines:
        done = CliRunner().invoke(app, shlex.split(line)[1:])
        assert done.exit_code == 0, line
