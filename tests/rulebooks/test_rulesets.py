"""The ruleset book: the package's rulesets, an operator's own without code, and where a file is wrong."""

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


# --- the package's own


@pytest.mark.parametrize("path", PACKAGED, ids=lambda path: path.name)
def test_packaged_ruleset(path: Path) -> None:
    text = path.read_text("utf-8")
    ruleset = RulesetBook.load().get(path.stem)
    assert ruleset == ruleset_of(yaml.safe_load(text), path.name)
    assert ruleset.code == path.stem


@pytest.mark.parametrize("path", PACKAGED, ids=lambda path: path.name)
def test_packaged_numbers_are_never_presented_as_law(path: Path) -> None:
    assert "不是法律规定" in path.read_text("utf-8")
    ruleset = RulesetBook.load().get(path.stem)
    assert ruleset.standing == "configuration"
    assert "配置" in ruleset.title.zh
    assert "configuration" in ruleset.title.en


def test_book_is_in_the_order_of_codes() -> None:
    codes = [ruleset.code for ruleset in RulesetBook.load().all()]
    assert codes == sorted(path.stem for path in PACKAGED) == ["guangdong", "national", "shenzhen"]


def test_rulesets_differ_where_a_service_has_to_decide() -> None:
    assert {ruleset.second_pledge for ruleset in RulesetBook.load().all()} == {"rank", "refuse"}
    assert len({ruleset.review_days for ruleset in RulesetBook.load().all()}) == 3


def test_default_ruleset_exists() -> None:
    settings = Settings()
    assert RulesetBook.load(settings.rulesets).get(settings.ruleset).code == "national"


@pytest.mark.parametrize("code", ["", "National", "hainan"])
def test_unknown_ruleset(code: str) -> None:
    with pytest.raises(NotFound) as caught:
        RulesetBook.load().get(code)
    assert (caught.value.code, caught.value.where) == ("RULESET_UNKNOWN", "ruleset")
    assert caught.value.hint == "One of: guangdong, national, shenzhen."


# --- a folder of an operator


def test_new_ruleset_of_a_folder_needs_no_code(tmp_path: Path) -> None:
    write(tmp_path, ("code: national", "code: zhanjiang"), ("review_days: 20", "review_days: 7"))
    book = RulesetBook.load(tmp_path)
    assert book.get("zhanjiang").review_days == 7
    assert book.get("national").review_days == 20
    assert len(book.all()) == len(PACKAGED) + 1


def test_confirmed_ruleset_replaces_the_packaged_one(tmp_path: Path) -> None:
    write(tmp_path, ("standing: configuration", "standing: confirmed"), ("version: 1", "version: 2"))
    book = RulesetBook.load(tmp_path)
    assert (book.get("national").standing, book.get("national").version) == ("confirmed", 2)
    assert len(book.all()) == len(PACKAGED)


def test_two_files_of_one_code(tmp_path: Path) -> None:
    write(tmp_path, name="a.yaml")
    write(tmp_path, name="b.yaml")
    error = refusal(tmp_path)
    assert error.code == "RULESET_TWICE"
    assert "national" in error.message


def test_folder_that_is_missing(tmp_path: Path) -> None:
    error = refusal(tmp_path / "none")
    assert (error.code, error.where) == ("FILE_MISSING", str(tmp_path / "none"))
    assert "rulesets" in error.message


def test_folder_of_too_many_files(tmp_path: Path) -> None:
    for number in range(MAX_FILES + 1):
        (tmp_path / f"{number}.yaml").touch()
    error = refusal(tmp_path)
    assert (error.code, error.where) == ("RULESETS_TOO_MANY", str(tmp_path))


# What is written instead of what, and the member that the error points to.
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
def test_file_line_and_member(tmp_path: Path, old: str, new: str, member: str) -> None:
    path = write(tmp_path, (old, new))
    top = member.split(":")[0]
    lines = path.read_text("utf-8").splitlines()
    (line,) = [number for number, text in enumerate(lines, 1) if text.startswith(f"{top}:")]
    error = refusal(tmp_path)
    assert (error.code, error.where) == ("RULESET_INVALID", f"own.yaml, line {line}: {member}")
    assert error.hint


def test_member_missing(tmp_path: Path) -> None:
    path = write(tmp_path, ("share_days: 20\n", ""))
    line = path.read_text("utf-8").splitlines().index("code: national") + 1
    assert refusal(tmp_path).where == f"own.yaml, line {line}: share_days"


def test_member_twice(tmp_path: Path) -> None:
    path = write(tmp_path, ("offer_days: 15\n", "offer_days: 15\noffer_days: 30\n"))
    line = path.read_text("utf-8").splitlines().index("offer_days: 30") + 1
    error = refusal(tmp_path)
    assert (error.code, error.where) == ("RULESET_INVALID", f"own.yaml, line {line}")


# --- the command line


def command(*arguments: str) -> tuple[int, object]:
    done = CliRunner().invoke(app, ["ruleset", *arguments, "--json"])
    return done.exit_code, json.loads(done.stdout)


def test_list_tells_which_is_in_force(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, ("code: national", "code: zhanjiang"))
    monkeypatch.setenv("PINGZHENG_RULESETS", str(tmp_path))
    monkeypatch.setenv("PINGZHENG_RULESET", "zhanjiang")
    code, rows = command("list")
    assert code == 0
    assert isinstance(rows, list)
    assert [row["code"] for row in rows] == ["guangdong", "national", "shenzhen", "zhanjiang"]
    assert [row["code"] for row in rows if row["生效 in force"]] == ["zhanjiang"]


def test_show_is_the_ruleset_in_force_or_the_one_named() -> None:
    for arguments, code in (((), "national"), (("shenzhen",), "shenzhen")):
        exit_code, told = command("show", *arguments)
        assert exit_code == 0
        assert isinstance(told, dict)
        ruleset = RulesetBook.load().get(code)
        assert (told["code"], told["digest"], told["notice"]) == (code, ruleset.digest, ruleset.notice)


def test_show_says_in_both_languages_that_the_numbers_are_not_law() -> None:
    shown = CliRunner().invoke(app, ["ruleset", "show", "guangdong"])
    assert shown.exit_code == 0
    assert "非法律规定" in shown.stdout
    assert "not law" in shown.stdout


def test_unknown_ruleset_ends_with_an_error() -> None:
    code, told = command("show", "hainan")
    assert isinstance(told, dict)
    assert (code, told["error"]) == (2, "RULESET_UNKNOWN")
