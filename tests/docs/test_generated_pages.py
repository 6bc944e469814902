"""Pages that scripts generate are up to date; if a test fails, run `make pages`."""

from __future__ import annotations

import json

from scripts import commands, configuration, python_page
from scripts.gas import page as gas
from scripts.gas.limits import SIZE_FILE, committed


def test_the_page_of_commands_matches_the_help_of_the_commands() -> None:
    assert commands.PAGE.read_text("utf-8") == commands.page(), "make pages"


def test_the_page_of_commands_explains_each_command_in_both_languages() -> None:
    rows = [line.split(" | ") for line in commands.page().splitlines() if line.startswith("| `pingzheng ")]
    assert len(rows) == len(commands.commands())
    assert all(len(row) >= 3 and row[1].strip() and row[2].strip(" |") for row in rows)


def test_the_page_of_settings_matches_the_descriptions_of_the_settings() -> None:
    assert configuration.PAGE.read_text("utf-8") == configuration.page(), "make pages"


def test_the_page_of_the_verifier_matches_its_docstrings() -> None:
    assert python_page.PAGE.read_text("utf-8") == python_page.page(), "make pages"


def test_the_gas_page_shows_the_committed_measurements() -> None:
    assert gas.PAGE.read_text("utf-8") == gas.page(committed(), json.loads(SIZE_FILE.read_text())), "make pages"
