"""In a folder without a ledger, every command reports that there is none, names the next step, and changes nothing in
the folder.
"""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ledger.cli.main import app
from ledger.installation.explanations import explanation
from tests.cli.test_commands import EVERY_COMMAND

NUMBER = "DAC-440802-2026-S51-00000001-K"
PARTY = "ab" * 32
# Commands that create a ledger.
MAKING = {"demo", "init", "join", "restore from"}
# These commands call a service with the session that is stored in the folder. So they report that the session is
# missing, not the ledger.
SESSION = {
    "api-key list",
    "api-key new",
    "api-key revoke",
    "certificate readings",
    "logout",
    "sessions end",
    "sessions list",
}
# The tests call every command as in the first example of its help. Only the commands in this table are called as given
# here, because their examples read files that do not exist in the tests, or need no ledger.
CALLS = {
    "consent submit": "consent submit file.json",
    "login": f"login --service https://platform.example --party {PARTY} --key firm.key",
    "party add": "party add --kind bank --region 440803 --file bank.json",
    "request draft": "request draft --scenario S01 --subject 9144 --consumer 9144 --source electricity=9144 "
    "--note note.json",
    "request import": "request import note.json --scenario S01 --consumer 9144 --source electricity=9144 "
    "--note note.json",
    "request submit": "request submit file.json",
    "sign": "sign file.json",
    "verify": f"verify {NUMBER}",
    "wallet export": "wallet export --party 91440803MA9X0002X5 --wallet firm.wallet --passphrase-file phrase.txt",
}
SIGNED = {"type": "request", "signature": "signed"}
FILES = {
    "bank.json": json.dumps({"identifier": "91440803MA9X0002X5", "name": "某银行"}),
    "bundle.json": "{}",
    "file.json": json.dumps({"drafts": [{"entry": SIGNED, "notice": {"text": "notice"}}], "entry": SIGNED}),
    "note.json": json.dumps({"contact": "0759-0000000"}),
    "firm.key": "12" * 32,
    "phrase.txt": "correct horse battery staple",
}
NEEDING = sorted(
    name
    for name, command in EVERY_COMMAND.items()
    if any("--home" in each.opts for each in command.params) and name not in MAKING
)


def words_of(line: str) -> list[str]:
    if line in CALLS:
        return shlex.split(CALLS[line])
    examples = " ".join(EVERY_COMMAND[line].help.partition("示例 Example")[2].partition(":")[2].split())
    return shlex.split(examples.split(" · ")[0])[1:]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("there", [True, False], ids=["empty folder", "no folder"])
@pytest.mark.parametrize("line", NEEDING)
def test_a_command_that_finds_no_ledger_reports_this_and_creates_no_files(folder: Path, line: str, there: bool) -> None:
    if there:
        (folder / "home").mkdir()
    before = sorted(folder.rglob("*"))
    as_json = ["--json"] if line != "serve" else []
    done = CliRunner().invoke(app, [*words_of(line), "--home", "home", *as_json])
    assert done.exit_code == 2, done.output
    expected = "SESSION_MISSING" if line in SESSION else "LEDGER_MISSING"
    if as_json:
        result = json.loads(done.stdout)
        assert (result["error"], result["hint"]) == (expected, explanation(expected, "", result["hint"]).hint)
    assert expected in done.output
    assert ("pingzheng login" if line in SESSION else "pingzheng init") in done.output
    assert sorted(folder.rglob("*")) == before


def test_a_folder_with_other_files_is_refused_for_a_new_ledger(folder: Path) -> None:
    before = sorted(folder.rglob("*"))
    for line in ("init", "demo"):
        done = CliRunner().invoke(app, [line, "--home", str(folder), "--json"])
        assert json.loads(done.stdout)["error"] == "HOME_NOT_EMPTY"
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize("suite", ["es256k", "es256", "sm2"])
def test_a_key_can_be_created_without_a_ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suite: str) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["key", "new", "firm.key", "--suite", suite, "--json"])
    assert done.exit_code == 0, done.output
    assert [path.name for path in tmp_path.iterdir()] == ["firm.key"]


def test_a_partly_created_ledger_is_reported(tmp_path: Path) -> None:
    (tmp_path / "creating").touch()
    done = CliRunner().invoke(app, ["status", "--home", str(tmp_path), "--json"])
    assert json.loads(done.stdout)["error"] == "LEDGER_HALF_MADE"
    assert [path.name for path in tmp_path.iterdir()] == ["creating"]
