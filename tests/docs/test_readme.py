"""The README's commands and code, run in the folder that the demonstration left."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.machine.demonstration import run
from tests.support.places import PROJECT

README = (PROJECT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)
COMMANDS = [line for kind, body in BLOCKS if kind == "sh" for line in body.splitlines() if line.strip()]


@pytest.mark.parametrize("line", [line for line in COMMANDS if line.startswith("pingzheng ")])
def test_command_works(demo: Path, line: str) -> None:
    result = run(demo, *shlex.split(line)[1:])
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("line", [line for line in COMMANDS if not line.startswith("pingzheng ")])
def test_make_target_exists(line: str) -> None:
    program, target = line.split()
    assert program == "make"
    assert re.search(rf"^{target}:", (PROJECT / "Makefile").read_text(), re.MULTILINE)


def test_python_works(demo: Path) -> None:
    (code,) = [body for kind, body in BLOCKS if kind == "python"]
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=demo, capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode == 0 and "DAC-4408" in result.stdout, result.stderr


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (PROJECT / target).exists(), target
