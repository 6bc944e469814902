"""Tests the script that draws random passages of the project for a reader to judge."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from typer import Typer
from typer.testing import CliRunner

from scripts.passages import COUNT, KINDS, PROJECT, Passage, code_of, drawn, main, of_python, passages, tracked

SAMPLE = '''"""What a module is about."""

# A comment
# of two lines.
LIMIT = 3  # a comment after code


# --- a heading
ROWS = {}  # fmt: skip


def test_a_name_is_a_passage() -> None:
    raise Conflict("KEY_TAKEN", f"The key {LIMIT} is taken.", f"block {LIMIT}", hint="Choose another key.")


@app.command()
def show() -> None:
    """显示密钥。Show the key."""
'''


@pytest.fixture(scope="module")
def found() -> list[Passage]:
    return passages(tracked())


def test_the_same_seed_draws_the_same_passages(found: list[Passage]) -> None:
    assert drawn(found, 7) == drawn(found, 7) != drawn(found, 8)
    assert len(set(drawn(found, 7))) == COUNT


def test_the_script_draws_the_same_number_of_passages_of_each_kind(found: list[Passage]) -> None:
    assert Counter(passage.kind for passage in drawn(found, 7)) == dict.fromkeys(KINDS, COUNT // len(KINDS))
    assert Counter(passage.kind for passage in drawn(found, 7, 7))["docstring"] == 2


def test_passages_are_in_both_languages_and_from_every_package(found: list[Passage]) -> None:
    assert any(re.search(r"[\u4e00-\u9fff]", passage.text) for passage in drawn(found, 7))
    assert {"ledger", "api", "tests", "contracts", "scripts"} <= {passage.file.split("/")[0] for passage in found}


def test_each_passage_is_at_the_file_and_line_that_are_printed(found: list[Passage]) -> None:
    for passage in drawn(found, 7):
        lines = (PROJECT / passage.file).read_text("utf-8").splitlines()
        first = re.split(r"[\s{]", passage.text.removeprefix("/").strip(), maxsplit=1)[0]
        assert first.rstrip(":") in "\n".join(lines[passage.line - 1 : passage.line + 12]), passage


def test_a_python_file_gives_passages_of_every_kind() -> None:
    assert sorted((passage.line, passage.kind, passage.text) for passage in of_python("test_sample.py", SAMPLE)) == [
        (1, "docstring", "What a module is about."),
        (3, "comment", "A comment of two lines."),
        (5, "comment", "a comment after code"),
        (12, "test name", "test_a_name_is_a_passage"),
        (13, "error", "KEY_TAKEN: The key {LIMIT} is taken. / Choose another key."),
        (18, "help", "显示密钥。Show the key."),
    ]


def test_a_function_outside_a_test_file_is_no_test() -> None:
    assert "test name" not in {passage.kind for passage in of_python("tests/deployed.py", SAMPLE)}


def test_comments_that_are_no_prose_are_left_out(found: list[Passage]) -> None:
    no_prose = re.compile(r"@inheritdoc \w+|(forge-config|fmt:|---).*")
    assert not [passage for passage in found if passage.kind == "comment" and no_prose.fullmatch(passage.text)]


def test_a_passage_is_printed_with_the_line_of_code_to_which_it_belongs(found: list[Passage]) -> None:
    lines = {
        passage.text: code_of(passage)
        for passage in found
        if passage.file in ("scripts/passages.py", "contracts/CertificateLog.sol")
    }
    assert lines["Print passages drawn at random, each with its file and line."] == "def main("
    assert lines["How many passages to draw."].startswith("count: Annotated[int, typer.Option(")
    assert lines["A piece of prose and the place where it begins."] == "class Passage:"
    assert next(lines[text] for text in lines if text.startswith("@title")).startswith("contract CertificateLog")


def test_the_seed_is_printed() -> None:
    app = Typer()
    app.command()(main)
    again = CliRunner().invoke(app, ["--seed", "7", "--count", "5"])
    assert again.exit_code == 0 and again.stdout.startswith("seed 7: 5 of ")
    fresh = CliRunner().invoke(app, ["--count", "5"])
    assert re.match(r"seed \d+: 5 of ", fresh.stdout)
