"""Odd terminals, closed pipes and full disks change no verification result, and do not shorten the help."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ledger.cli.main import GROUPS, app, loaded
from ledger.cli.shell import output
from ledger.proof.sdjwt import parse_certificate
from tests.support.bundles.builder import usage
from tests.support.bundles.cast import AT, BANK, NONCE
from tests.support.bundles.made import Made
from tests.support.places import PROJECT

PROGRAM = "from ledger.cli.program import run; run()"
FORMS = pytest.mark.parametrize("form", [(), ("--json",)], ids=["table", "json"])
VERDICTS = pytest.mark.parametrize(("consumer", "code"), [(BANK.id, 0), ("9f" * 32, 1)], ids=["valid", "not valid"])
ENCODINGS = ["ascii", "latin-1", "gbk", "cp936", "utf-8"]


def request_of(made: Made) -> str:
    """Return the bank's request file. It contains the template, because the scenario is only in the tests, so the
    command could not find its template in the package.
    """
    template = parse_certificate(made.bundle.certificate).claims["template"]
    return json.dumps({"consumer": BANK.id, "nonce": NONCE, "templates": [template]}, indent=2)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, made = tmp_path_factory.mktemp("saved"), usage()
    (folder / "bundle.json").write_bytes(made.bundle.to_bytes())
    (folder / "facts.json").write_bytes(made.facts.to_bytes())
    (folder / "request.json").write_text(request_of(made))
    return folder


def verify(
    saved: Path, consumer: str, *form: str, shell: str = "", encoding: str = "utf-8"
) -> tuple[int, bytes, bytes]:
    """Run ``verify`` in a new process whose streams are redirected as in ``shell``."""
    answer = ["--facts", "facts.json", "--request", "request.json", "--consumer", consumer, "--at", str(AT)]
    command = [sys.executable, "-c", PROGRAM, "verify", "bundle.json", *answer, *form]
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" {shell}', "sh", *command],
        cwd=saved,
        env={"PYTHONPATH": str(PROJECT), "PATH": os.environ["PATH"], "PYTHONIOENCODING": encoding, "COLUMNS": "200"},
        capture_output=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@FORMS
@VERDICTS
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_verification_result_is_the_same_in_every_terminal_encoding(
    saved: Path, consumer: str, code: int, encoding: str, form: tuple[str, ...]
) -> None:
    ended, answer, complaint = verify(saved, consumer, *form, encoding=encoding)
    assert (ended, complaint) == (code, b"")
    text = answer.decode(encoding)
    if form:
        assert json.loads(text)["valid"] is (code == 0)
    else:
        assert ("NOT VALID" in text) is (code == 1)
        assert ("有效" if encoding not in ("ascii", "latin-1") else r"\u6709\u6548") in text


@FORMS
@VERDICTS
@pytest.mark.parametrize("shell", [">&-", "2>&-", ">&- 2>&-", "</dev/null >&- 2>&-"])
def test_a_closed_output_stream_does_not_change_the_verification_result(
    saved: Path, consumer: str, code: int, shell: str, form: tuple[str, ...]
) -> None:
    assert verify(saved, consumer, *form, shell=shell)[0] == code


@FORMS
@VERDICTS
def test_a_full_disk_is_reported_and_does_not_change_the_verification_result(
    saved: Path, consumer: str, code: int, form: tuple[str, ...]
) -> None:
    ended, _, complaint = verify(saved, consumer, *form, shell=">/dev/full")
    assert ended == code
    assert complaint.decode().count("The result could not be written: No space left on device") == 1
    assert verify(saved, consumer, *form, shell=">/dev/full 2>/dev/full")[0] == code


def test_a_full_disk_while_help_is_printed_is_reported_on_one_line(saved: Path) -> None:
    program = "from ledger.cli.program import run; run()"
    command = f'exec "{sys.executable}" -c "{program}" --help >/dev/full'
    environment = {"PYTHONPATH": str(PROJECT), "PATH": os.environ["PATH"]}
    done = subprocess.run(
        ["sh", "-c", command], cwd=saved, env=environment, capture_output=True, timeout=60, check=False
    )
    assert done.returncode == output.EXIT_DISK_FULL
    assert b"could not be written" in done.stderr and b"Traceback" not in done.stderr


@FORMS
def test_a_command_that_cannot_write_its_list_to_a_full_disk_ends_with_a_special_exit_code(
    saved: Path, form: tuple[str, ...]
) -> None:
    command = f'exec "{sys.executable}" -c "{PROGRAM}" scenario list {" ".join(form)} >/dev/full'
    environment = {"PYTHONPATH": str(PROJECT), "PATH": os.environ["PATH"]}
    done = subprocess.run(
        ["sh", "-c", command], cwd=saved, env=environment, capture_output=True, timeout=60, check=False
    )
    assert done.returncode == output.EXIT_DISK_FULL
    assert b"Traceback" not in done.stderr


def test_json_output_is_valid_in_an_encoding_that_lacks_some_of_the_characters(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "_encoding", "ascii", raising=False)
    monkeypatch.setattr("ledger.cli.shell.output.can_show", lambda _: False)
    output.print_json({"name": "𠮷野家 吉"})
    answer = capsys.readouterr().out
    assert answer.isascii() and json.loads(answer) == {"name": "𠮷野家 吉"}


def commands() -> list[list[str]]:
    """Return for each command and command group the words that call it."""
    found: list[list[str]] = [[]]
    for name in GROUPS:
        waiting = [([name], loaded(name))]
        while waiting:
            words, command = waiting.pop()
            found.append(words)
            waiting += [([*words, each], sub) for each, sub in getattr(command, "commands", {}).items()]
    singles = [command.name or command.callback.__name__ for command in app.registered_commands if command.callback]
    return found + [[single.removesuffix("_command")] for single in singles]


@pytest.mark.parametrize("width", [80, 60])
@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_help_shows_every_word_in_a_narrow_terminal(
    words: list[str], width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Counter(letters(words, width, monkeypatch)) == Counter(letters(words, 1_000, monkeypatch))


def letters(words: list[str], width: int, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return all characters of a command's help text, without blanks and without the lines that frame it."""
    monkeypatch.setattr("typer.rich_utils.MAX_WIDTH", width)
    done = CliRunner().invoke(app, [*words, "--help"], env={"COLUMNS": str(width), "TERMINAL_WIDTH": str(width)})
    assert done.exit_code == 0, done.output
    return re.sub(r"[\s│╭╮╰╯─]", "", done.stdout)
