"""Mistakes in a scenario file: the error names file, line and member."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from ledger.errors import InvalidInput
from ledger.rulebooks.scenarios import ScenarioBook
from tests.support.scenario_files import VALID, refusal, write_scenario


def every_member(node: yaml.Node, path: str = "", rule: bool = False) -> Iterator[tuple[str, yaml.Node]]:
    """For each member of the file, yield the name by which an error refers to the member, and the YAML node of the
    member's value, which has its position in the text.
    """
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            name = key.value if not path else f"{path}{'.' if rule else ': '}{key.value}"
            yield name, value
            yield from every_member(value, name, rule=key.value == "rule")
    elif isinstance(node, yaml.SequenceNode) and node.value and isinstance(node.value[0], yaml.MappingNode):
        for number, value in enumerate(node.value):
            yield f"{path}[{number}]", value
            yield from every_member(value, f"{path}[{number}]")


ROOT = yaml.compose(VALID)
assert ROOT is not None
EVERY = dict(every_member(ROOT))


@pytest.mark.parametrize("member", EVERY)
def test_a_wrong_value_of_any_member_is_reported_with_file_and_line(tmp_path: Path, member: str) -> None:
    node = EVERY[member]
    start = node.start_mark.index
    end = start + len(VALID[start : node.end_mark.index].rstrip())
    write_scenario(tmp_path, VALID[:start] + "{wrong: [1.5]}" + VALID[end:])
    error = refusal(tmp_path)
    line = VALID[:start].count("\n") + 1
    # If a rule's op is unknown, the error can name only the member `op`.
    named = member.removesuffix(".op")
    assert error.code == ("RULE_INVALID" if "rule" in named else "SCENARIO_INVALID")
    assert str(error.where).startswith(f"pilot.yaml, line {line}: {named}")


# For each mistake: the original text, the text with the mistake, the code of the error, and the place that the error
# names.
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
def test_a_mistake_is_reported_with_file_and_line_and_member(
    tmp_path: Path, old: str, new: str, code: str, where: str
) -> None:
    assert VALID.count(old) == 1
    write_scenario(tmp_path, VALID.replace(old, new))
    error = refusal(tmp_path)
    assert (error.code, error.where) == (code, f"pilot.yaml, {where}")
    assert error.hint


NOT_YAML = {
    "list without an end": ("code: S77\nchannels: [a\n", "pilot.yaml, line 2"),
    "tabulator": ("code: S77\n\tversion: 1\n", "pilot.yaml, line 2"),
    "mapping as a key": ("code: S77\n{a: 1}: 2\n", "pilot.yaml, line 2"),
    "Python object": ("code: S77\nversion: !!python/object:os.system {}\n", "pilot.yaml, line 2"),
    "two documents": ("code: S77\n---\ncode: S78\n", "pilot.yaml, line 2"),
    "control character": ("code: S77\x00\n", "pilot.yaml"),
}


@pytest.mark.parametrize(("text", "where"), NOT_YAML.values(), ids=NOT_YAML.keys())
def test_a_file_that_is_not_yaml_is_refused(tmp_path: Path, text: str, where: str) -> None:
    write_scenario(tmp_path, text)
    error = refusal(tmp_path)
    assert (error.code, error.where) == ("SCENARIO_INVALID", where)


# For each mistake: the original text, the text with the mistake, the line that the error names, and a word of the
# error's message.
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
def test_a_typing_mistake_is_reported_with_the_line_of_the_mistake(
    tmp_path: Path, old: str, new: str, line: int, word: str
) -> None:
    assert VALID.count(old) == 1
    write_scenario(tmp_path, VALID.replace(old, new))
    error = refusal(tmp_path)
    assert (error.code, error.where) == ("SCENARIO_INVALID", f"pilot.yaml, line {line}")
    assert word in error.message and "。" in error.message


@pytest.mark.parametrize(
    ("old", "new", "meant"),
    [("retention_days: 30", "retention_day: 30", "retention_day"), ("{zh: 试点,", "{zh：试点,", "zh：试点")],
)
def test_the_error_for_a_misspelt_member_names_the_member(tmp_path: Path, old: str, new: str, meant: str) -> None:
    write_scenario(tmp_path, VALID.replace(old, new))
    assert f"可能误写为 {meant}。" in refusal(tmp_path).message


def test_a_file_that_is_not_in_utf8_is_refused_with_a_hint(tmp_path: Path) -> None:
    (tmp_path / "pilot.yaml").write_bytes(VALID.encode("gbk"))
    assert "另存为 UTF-8" in refusal(tmp_path).message


@pytest.mark.parametrize("text", ["", "- code: S77\n", "S77\n"], ids=["empty", "list", "text"])
def test_a_file_without_a_mapping_is_refused(tmp_path: Path, text: str) -> None:
    write_scenario(tmp_path, text)
    error = refusal(tmp_path)
    assert (error.code, error.where) == ("SCENARIO_INVALID", "pilot.yaml")


def test_no_file_of_the_folder_is_loaded_if_one_file_is_invalid(tmp_path: Path) -> None:
    write_scenario(tmp_path, name="a.yaml")
    write_scenario(tmp_path, "code: [", name="b.yaml")
    assert (refusal(tmp_path).where or "").startswith("b.yaml")


BROKEN = {
    "a key twice": (b"code: S01\ncode: S02\n", "S99.yaml, line 2"),
    "not UTF-8": (b"\xff\xfe", "S99.yaml"),
    "an impossible date": (b"code: 2026-13-45\n", "S99.yaml"),
    "nested without end": (b"a: " + b"[" * 2000, "S99.yaml"),
}


@pytest.mark.parametrize(("content", "where"), BROKEN.values(), ids=BROKEN)
def test_the_error_for_an_unreadable_file_names_the_file(tmp_path: Path, content: bytes, where: str) -> None:
    (tmp_path / "S99.yaml").write_bytes(content)
    with pytest.raises(InvalidInput) as caught:
        ScenarioBook.load(tmp_path)
    assert (caught.value.code, str(caught.value.where)[: len(where)]) == ("SCENARIO_INVALID", where)
