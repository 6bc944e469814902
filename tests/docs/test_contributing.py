"""Pages for developers name only files and make targets that exist, and show the order of packages that ``make lint``
checks.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.flows import levels
from tests.docs.documents import commands
from tests.support.places import PROJECT

CONTRIBUTING = PROJECT / "CONTRIBUTING.md"
ARCHITECTURE = PROJECT / "docs" / "architecture.md"
CONTRACTS = PROJECT / "contracts" / "README.md"
ORDER = re.compile(r"`(errors → [^`]+)`")
NAMED = re.compile(r"`((?:ledger|api|tests|scripts|contracts|docs)/[\w./-]*\w)`")


@pytest.mark.parametrize("line", [line for line in commands(CONTRIBUTING) if line.startswith("make ")])
def test_each_make_target_that_the_contributing_page_names_exists(line: str) -> None:
    assert re.search(rf"^{line.split()[1]}:", (PROJECT / "Makefile").read_text("utf-8"), re.MULTILINE)


@pytest.mark.parametrize("line", [line for line in commands(CONTRIBUTING) if not line.startswith("make ")])
def test_the_tests_that_the_contributing_page_shows_exist(line: str) -> None:
    program, *arguments = shlex.split(line)
    assert program == ".venv/bin/pytest"
    run = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *arguments]
    done = subprocess.run(run, cwd=PROJECT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout[-2000:]


@pytest.mark.parametrize("page", [CONTRIBUTING, ARCHITECTURE, CONTRACTS], ids=lambda page: page.parent.name)
def test_the_files_and_folders_that_the_contributing_page_names_exist(page: Path) -> None:
    for name in NAMED.findall(page.read_text("utf-8")):
        assert (PROJECT / name).exists(), name


def test_every_make_target_that_a_page_names_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (PROJECT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for page in (CONTRIBUTING, ARCHITECTURE, CONTRACTS, PROJECT / "README.md"):
        assert set(re.findall(r"`make ([a-z]+)", page.read_text("utf-8"))) <= targets


def test_the_architecture_page_shows_the_order_of_packages_that_the_import_check_uses() -> None:
    (order,) = ORDER.findall(ARCHITECTURE.read_text("utf-8"))
    steps = [set(step.split(", ")) for step in " ".join(order.split()).split(" → ")]
    checked = levels()
    expected = [{room for room, level in checked.items() if level == each and room != "api"} for each in range(99)]
    assert steps == [rooms for rooms in reversed(expected) if rooms]


def test_the_architecture_page_explains_every_package_of_the_ledger() -> None:
    text = ARCHITECTURE.read_text("utf-8").partition("## The rooms")[2].partition("## The order")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)) == set(levels()) - {"api"}
