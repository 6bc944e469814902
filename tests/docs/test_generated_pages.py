"""The pages that scripts write are what the scripts would write now; `make pages` writes them again."""

from __future__ import annotations

import json

from scripts import commands, configuration, python_page
from scripts.gas import page as gas
from scripts.gas.limits import SIZE_FILE, committed


def test_the_page_of_commands_is_what_their_help_says() -> None:
    assert commands.PAGE.read_text("utf-8") == commands.page(), "make pages"


def test_each_command_is_explained_in_both_languages_on_the_page() -> None:
    rows = [line.split(" | ") for line in commands.page().splitlines() if line.startswith("| `pingzheng ")]
    assert len(rows) == len(commands.commands())
    assert all(len(row) >= 3 and row[1].strip() and row[2].strip(" |") for row in rows)


def test_the_page_of_settings_is_what_they_say() -> None:
    assert configuration.PAGE.read_text("utf-8") == configuration.page(), "make pages"


def test_the_page_of_the_verifier_is_what_its_docstrings_say() -> None:
    assert python_page.PAGE.read_text("utf-8") == python_page.page(), "make pages"


def test_the_page_of_gas_shows_what_was_measured() -> None:
    assert gas.PAGE.read_text("utf-8") == gas.page(committed(), json.loads(SIZE_FILE.read_text())), "make pages"
