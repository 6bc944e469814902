"""Runs the commands and code of README.md in the folder of the demonstration, and compares docs/demo.md with this
demonstration.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.demo_page import PAGE, PICTURE, page
from tests.support.machine.demonstration import run
from tests.support.places import PROJECT

README = (PROJECT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)
COMMANDS = [line for kind, body in BLOCKS if kind == "sh" for line in body.splitlines() if line.strip()]


@pytest.mark.parametrize("line", [line for line in COMMANDS if line.startswith("pingzheng ")])
def test_each_command_of_the_readme_works(demo: Path, line: str) -> None:
    result = run(demo, *shlex.split(line)[1:])
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("line", [line for line in COMMANDS if not line.startswith("pingzheng ")])
def test_each_make_target_in_the_readme_exists(line: str) -> None:
    program, target = line.split()
    assert program == "make"
    assert re.search(rf"^{target}:", (PROJECT / "Makefile").read_text(), re.MULTILINE)


def test_the_python_code_of_the_readme_works(demo: Path) -> None:
    (code,) = [body for kind, body in BLOCKS if kind == "python"]
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=demo, capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode == 0 and "DAC-4408" in result.stdout, result.stderr


@pytest.mark.parametrize("name", ["README.md", "README.zh.md"])
def test_the_readme_has_at_most_100_lines(name: str) -> None:
    assert len((PROJECT / name).read_text("utf-8").splitlines()) <= 100


def numbers(page: str) -> list[list[str]]:
    """Return, for each table row of the page, the cells that hold a number or a code and no words."""
    rows = [line.split(" | ")[1:] for line in page.splitlines() if line.startswith("| ")]
    return [[cell for cell in row if re.fullmatch(r"[\d,]+ ?\|?|`[A-Z_]+` ?\|?", cell)] for row in rows]


def near(cell: str, value: str) -> bool:
    """Return whether both cells are gas amounts that differ by at most two per cent."""
    if "`" in cell + value:
        return False
    shown, expected = (int(re.sub(r"[, |]", "", each)) for each in (cell, value))
    return expected > 60 and abs(shown - expected) <= expected / 50


def test_the_page_about_the_demonstration_shows_the_numbers_of_a_new_run(demo: Path) -> None:
    summary = json.loads((demo / "demo-out" / "summary.json").read_text("utf-8"))
    shown, expected = numbers(PAGE.read_text("utf-8")), numbers(page(summary))
    assert [len(row) for row in shown] == [len(row) for row in expected]
    for row, wanted in zip(shown, expected, strict=True):
        for cell, value in zip(row, wanted, strict=True):
            assert cell == value or near(cell, value), (cell, value)


def test_the_picture_on_the_page_about_the_demonstration_has_the_numbers_of_a_new_run(demo: Path) -> None:
    figures = [
        re.findall(r"· ([\d,]+)<", each.read_text("utf-8")) for each in (PICTURE, demo / "demo-out" / "flow.svg")
    ]
    assert figures[0] == figures[1] and len(figures[0]) > 4
