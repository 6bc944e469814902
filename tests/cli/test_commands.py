"""Tests of all commands: each has help in both languages and JSON output, and imports only what it needs."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_group
from typer.testing import CliRunner

from ledger.cli.main import FIRST, GROUPS, MORE, app, loaded
from tests.support.bundles.builder import usage
from tests.support.bundles.cast import AT, BANK, NONCE
from tests.support.places import PROJECT

HEAVY = ("web3", "sqlalchemy", "eth_account", "openpyxl", "fastapi")
PROGRAM = f"""
import sys
from ledger.cli.main import app

try:
    app(prog_name="pingzheng")
finally:
    sys.stderr.write("loaded: " + " ".join(name for name in {HEAVY!r} if name in sys.modules) + "\\n")
"""


def every_command(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from every_command(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


def all_commands() -> Iterator[tuple[str, Any]]:
    whole = get_group(app)
    for group in GROUPS:
        whole.add_command(loaded(group), group)
    yield from every_command(whole)


EVERY_COMMAND = dict(all_commands())


@pytest.mark.parametrize("line", EVERY_COMMAND)
def test_every_command_is_explained_in_both_languages_with_an_example(line: str) -> None:
    command = EVERY_COMMAND[line]
    about, _, examples = command.help.partition("示例 Example")
    assert re.search(r"[\u4e00-\u9fff].*。[A-Z]", about), about
    for example in " ".join(examples.partition(":")[2].split()).split(" · "):
        program, *words = shlex.split(example)
        assert [program, *words[: len(line.split())]] == ["pingzheng", *line.split()]
        # The example is only parsed, so that wrong options and arguments are found; the command is not run.
        assert command.make_context(line, words[len(line.split()) :]).params


@pytest.mark.parametrize("line", sorted(set(EVERY_COMMAND) - {"serve"}))
def test_every_command_has_json_output(line: str) -> None:
    assert "--json" in {option for each in EVERY_COMMAND[line].params for option in each.opts}


@pytest.mark.parametrize("group", GROUPS)
def test_a_command_group_is_imported_only_when_it_is_called(group: str) -> None:
    result = CliRunner().invoke(app, [group, "--help"], env={"COLUMNS": "200"})
    assert result.exit_code == 0 and GROUPS[group][2] in result.stdout, result.output
    assert "Commands" in result.stdout


@pytest.mark.parametrize("line", ["--help", "scenario list", "wallet --help"])
def test_commands_that_need_no_ledger_load_no_heavy_library(tmp_path: Path, line: str) -> None:
    assert_light(tmp_path, *line.split())


def test_the_help_of_a_command_group_does_not_load_the_database_library(tmp_path: Path) -> None:
    program = (
        "import sys; from ledger.cli.main import GROUPS, loaded\n"
        "print([name for name in GROUPS if loaded(name) and {'sqlalchemy', 'web3'} & sys.modules.keys()])"
    )
    environment = {"PYTHONPATH": str(PROJECT), "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_verifying_with_saved_facts_loads_no_ledger(tmp_path: Path) -> None:
    bundle, facts, made = tmp_path / "bundle.json", tmp_path / "facts.json", usage()
    bundle.write_bytes(made.bundle.to_bytes())
    facts.write_bytes(made.facts.to_bytes())
    asked = tmp_path / "request.json"
    known = ("verify", str(bundle), "--facts", str(facts), "--at", str(AT), "--request", str(asked))
    request = {"consumer": BANK.id, "nonce": NONCE}
    asked.write_text(json.dumps(request | {"templates": [made.claims["template"]]}))
    assert "有效 VALID" in assert_light(tmp_path, *known)
    asked.write_text(json.dumps(request))
    refused = run(tmp_path, *known, "--json")
    # If the request has no ``templates``, the command expects the template of the packaged scenario with this code and
    # version. The test's scenario has different rules, so the certificate's template is not the expected one.
    assert (refused.returncode, refused.stderr) == (1, "loaded: \n")
    assert "TEMPLATE_NOT_EXPECTED" in refused.stdout


def test_a_command_that_opens_a_ledger_loads_the_database_library(tmp_path: Path) -> None:
    """The setting is invalid, so the command ends before it starts a chain, but after it loaded the library."""
    done = run(tmp_path, "asset", "list", PINGZHENG_BATCH_SIZE="0")
    assert done.returncode != 0
    assert "loaded: sqlalchemy\n" in done.stderr


def assert_light(folder: Path, *arguments: str) -> str:
    done = run(folder, *arguments)
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == "loaded: ", done.stderr
    return done.stdout


def run(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", PROGRAM, *arguments]
    environment |= {"PYTHONPATH": str(PROJECT), "PATH": ""}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_the_help_lists_the_commands_for_beginners_first() -> None:
    shown = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200"}).stdout
    panels = {title: re.findall(r"^│ ([a-z][a-z-]*) ", body, re.MULTILINE) for title, body in panels_of(shown)}
    assert tuple(panels["Commands"]) == FIRST and len(FIRST) <= 12
    assert set(panels[MORE]) == {line.split(" ")[0] for line in EVERY_COMMAND} - set(FIRST)


def test_no_printed_next_command_has_a_placeholder() -> None:
    """The member ``next`` of a result is a command, which a user must be able to paste without a change."""
    for path in (PROJECT / "ledger" / "cli").rglob("*.py"):
        assert not re.search(r'"next": f?"[^"]*…', path.read_text("utf-8")), path.name


def panels_of(text: str) -> list[tuple[str, str]]:
    return re.findall(r"^╭─ (.+?) ─+╮$(.+?)^╰", text, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(
    ("words", "completed"),
    [("pingzheng ver", "verify"), ("pingzheng certificate iss", "issue"), ("pingzheng sign --y", "--yes")],
)
def test_the_shell_completes_commands_and_options(tmp_path: Path, words: str, completed: str) -> None:
    typed = {"COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    done = run(tmp_path, _PINGZHENG_COMPLETE="complete_bash", **typed)
    assert done.stdout.split() == [completed], done.stderr
