"""The book of rulesets: the package's rulesets, the operator's own files, and mistakes in a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from ledger.cli.main import app
from ledger.domain.definitions.ruleset import ruleset_of
from ledger.errors import InvalidInput, NotFound
from ledger.installation.settings import Settings
from ledger.rulebooks.definitions import MAX_FILES
from ledger.rulebooks.rulesets import RulesetBook
from tests.support.ruleset_files import PACKAGED, write


def refusal(folder: Path) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        RulesetBook.load(folder)
    return caught.value


# --- the package's rulesets


@pytest.mark.parametrize("path", PACKAGED, ids=lambda path: path.name)
def test_every_ruleset_of_the_package_is_valid(path: Path) -> None:
    text = path.read_text("utf-8")
    ruleset = RulesetBook.load().get(path.stem)
    assert ruleset == ruleset_of(yaml.safe_load(text), path.name)
    assert ruleset.code == path.stem


@pytest.mark.parametrize("path", PACKAGED, ids=lambda path: path.name)
def test_the_packages_rulesets_say_that_their_numbers_are_configuration_not_law(path: Path) -> None:
    assert "不是法律规定" in path.read_text("utf-8")
    ruleset = RulesetBook.load().get(path.stem)
    assert ruleset.standing == "configuration"
    assert "配置" in ruleset.title.zh
    assert "configuration" in ruleset.title.en


def test_definitions_are_ordered_by_code() -> None:
    codes = [ruleset.code for ruleset in RulesetBook.load().all()]
    assert codes == sorted(path.stem for path in PACKAGED) == ["guangdong", "national", "shenzhen"]


def test_the_rulesets_of_the_package_differ_in_their_choices() -> None:
    assert {ruleset.second_pledge for ruleset in RulesetBook.load().all()} == {"rank", "refuse"}
    assert len({ruleset.review_days for ruleset in RulesetBook.load().all()}) == 3


def test_the_default_ruleset_exists() -> None:
    settings = Settings()
    assert RulesetBook.load(settings.rulesets).get(settings.ruleset).code == "national"


@pytest.mark.parametrize("code", ["", "National", "hainan"])
def test_an_unknown_ruleset_is_not_found(code: str) -> None:
    with pytest.raises(NotFound) as caught:
        RulesetBook.load().get(code)
    assert (caught.value.code, caught.value.where) == ("RULESET_UNKNOWN", "ruleset")
    assert caught.value.hint == "Use one of: guangdong, national, shenzhen."


# --- an operator's folder


def test_a_new_ruleset_in_the_operators_folder_is_loaded_without_new_code(tmp_path: Path) -> None:
    write(tmp_path, ("code: national", "code: zhanjiang"), ("review_days: 20", "review_days: 7"))
    book = RulesetBook.load(tmp_path)
    assert book.get("zhanjiang").review_days == 7
    assert book.get("national").review_days == 20
    assert len(book.all()) == len(PACKAGED) + 1


def test_a_confirmed_ruleset_in_the_folder_replaces_the_packages_ruleset(tmp_path: Path) -> None:
    write(tmp_path, ("standing: configuration", "standing: confirmed"), ("version: 1", "version: 2"))
    book = RulesetBook.load(tmp_path)
    assert (book.get("national").standing, book.get("national").version) == ("confirmed", 2)
    assert len(book.all()) == len(PACKAGED)


def test_two_ruleset_files_with_an_equal_code_are_refused(tmp_path: Path) -> None:
    write(tmp_path, name="a.yaml")
    write(tmp_path, name="b.yaml")
    error = refusal(tmp_path)
    assert error.code == "RULESET_TWICE"
    assert "national" in error.message


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    error = refusal(tmp_path / "none")
    assert (error.code, error.where) == ("FILE_MISSING", str(tmp_path / "none"))
    assert "rulesets" in error.message


def test_a_folder_with_too_many_files_is_refused(tmp_path: Path) -> None:
    for number in range(MAX_FILES + 1):
        (tmp_path / f"{number}.yaml").touch()
    error = refusal(tmp_path)
    assert (error.code, error.where) == ("RULESETS_TOO_MANY", str(tmp_path))


# For each mistake: the original text, the text with the mistake, and the member that the error names.
WRONG = {
    "unknown member": ("version: 1\n", "version: 1\npilot: yes\n", "pilot"),
    "wrong type": ("review_days: 20", "review_days: twenty", "review_days"),
    "out of bounds": ("validity_years: 3", "validity_years: 4", "validity_years"),
    "half a day": ("fix_days: 10", "fix_days: 0.5", "fix_days"),
    "wrong choice": ("second_pledge: rank", "second_pledge: allow", "second_pledge"),
    "notice waived": ("{first: true,", "{first: false,", "notice: first"),
    "notice missing": (", cancel: false}", "}", "notice: cancel"),
    "title": ("en: National ruleset (configuration)", 'en: ""', "title: en"),
}


@pytest.mark.parametrize(("old", "new", "member"), WRONG.values(), ids=WRONG.keys())
def test_a_mistake_is_reported_with_file_and_line_and_member(tmp_path: Path, old: str, new: str, member: str) -> None:
    path = write(tmp_path, (old, new))
    top = member.split(":")[0]
    lines = path.read_text("utf-8").splitlines()
    (line,) = [number for number, text in enumerate(lines, 1) if text.startswith(f"{top}:")]
    error = refusal(tmp_path)
    assert (error.code, error.where) == ("RULESET_INVALID", f"own.yaml, line {line}: {member}")
    assert error.hint


def test_a_missing_member_is_reported_with_file_and_line(tmp_path: Path) -> None:
    path = write(tmp_path, ("share_days: 20\n", ""))
    line = path.read_text("utf-8").splitlines().index("code: national") + 1
    assert refusal(tmp_path).where == f"own.yaml, line {line}: share_days"


def test_a_member_that_is_given_twice_is_reported(tmp_path: Path) -> None:
    path = write(tmp_path, ("offer_days: 15\n", "offer_days: 15\noffer_days: 30\n"))
    line = path.read_text("utf-8").splitlines().index("offer_days: 30") + 1
    error = refusal(tmp_path)
    assert (error.code, error.where) == ("RULESET_INVALID", f"own.yaml, line {line}")


# --- the command line


def command(*arguments: str) -> tuple[int, object]:
    done = CliRunner().invoke(app, ["ruleset", *arguments, "--json"])
    return done.exit_code, json.loads(done.stdout)


def test_the_list_command_marks_the_ruleset_in_force(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, ("code: national", "code: zhanjiang"))
    monkeypatch.setenv("PINGZHENG_RULESETS", str(tmp_path))
    monkeypatch.setenv("PINGZHENG_RULESET", "zhanjiang")
    code, rows = command("list")
    assert code == 0
    assert isinstance(rows, list)
    assert [row["code"] for row in rows] == ["guangdong", "national", "shenzhen", "zhanjiang"]
    assert [row["code"] for row in rows if row["生效 in force"]] == ["zhanjiang"]


def test_the_show_command_prints_the_named_ruleset_or_the_ruleset_in_force() -> None:
    for arguments, code in (((), "national"), (("shenzhen",), "shenzhen")):
        exit_code, printed = command("show", *arguments)
        assert exit_code == 0
        assert isinstance(printed, dict)
        ruleset = RulesetBook.load().get(code)
        assert (printed["code"], printed["digest"], printed["notice"]) == (code, ruleset.digest, ruleset.notice)


def test_the_show_command_says_in_chinese_and_english_that_the_numbers_are_not_law() -> None:
    shown = CliRunner().invoke(app, ["ruleset", "show", "guangdong"])
    assert shown.exit_code == 0
    assert "非法律规定" in shown.stdout
    assert "not law" in shown.stdout


def test_showing_an_unknown_ruleset_exits_with_an_error() -> None:
    code, printed = command("show", "hainan")
    assert isinstance(printed, dict)
    assert (code, printed["error"]) == (2, "RULESET_UNKNOWN")
