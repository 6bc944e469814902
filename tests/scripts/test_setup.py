"""`make setup` chooses a Python, names what is missing, and leaves out some packages on the newest Python."""

from __future__ import annotations

import json
import re
import sys
import tomllib
from pathlib import Path

import pytest

from scripts import newest, setup
from tests.support.places import PROJECT

NAMES = re.compile(r"^([\w.-]+)(?:\[[\w,-]+\])?==", re.MULTILINE)


@pytest.mark.parametrize(
    ("version", "text"),
    [((3, 6, 15), "is too old"), ((3, 10, 13), "is too old"), ((3, 14, 0), "coincurve"), ((4, 0, 0), "is too new")],
)
def test_an_unsupported_python_is_reported_with_a_way_to_continue(version: tuple[int, ...], text: str) -> None:
    wrong = setup.problem(version)
    assert text in wrong and ".".join(map(str, version)) in wrong and "make setup PYTHON=python3.1" in wrong


@pytest.mark.parametrize("version", [(3, 11, 0), (3, 12, 9), (3, 13, 5)])
def test_every_supported_python_is_accepted(version: tuple[int, ...]) -> None:
    assert setup.problem(version) == ""


def test_a_python_without_venv_is_reported_with_the_package_to_install() -> None:
    assert "apt install python3.11-venv" in setup.problem((3, 11, 2), ("venv", "no_such_module"))


def test_the_supported_python_versions_match_the_package_metadata() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]
    oldest, too_new = (".".join(map(str, each)) for each in (setup.OLDEST, setup.TOO_NEW))
    assert project["requires-python"] == f">={oldest},<{too_new}"
    minors = [f"Programming Language :: Python :: 3.{minor}" for minor in range(setup.OLDEST[1], setup.TOO_NEW[1])]
    assert [each for each in project["classifiers"] if re.search(r":: 3\.", each)] == minors


def test_the_error_names_a_folder_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "cannot be written" in setup.room(Path("/proc"))
    monkeypatch.setattr(setup, "FREE_MB", 10**12)
    assert "MB free" in setup.room(PROJECT)


def test_caches_are_in_the_project_if_the_home_folder_is_read_only(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "npm_config_cache" not in setup.environment()
    monkeypatch.setenv("HOME", "/proc")
    assert setup.environment()["npm_config_cache"] == str(PROJECT / "build" / "npm")


def test_setup_prints_its_progress_and_a_failure_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(setup, "SECONDS", 0.2)
    setup.run([sys.executable, "-c", "import time; time.sleep(1)"], tmp_path)
    assert f"s, {tmp_path.name} has 0 MB" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="same `make` command again"):
        setup.run([sys.executable, "-c", "exit(1)"], tmp_path)


def test_the_development_lock_file_contains_the_runtime_lock_file() -> None:
    running, development = (
        re.findall(r"^\S+==\S+", (PROJECT / name).read_text("utf-8"), re.MULTILINE)
        for name in ("requirements.lock", "requirements-dev.lock")
    )
    assert set(running) < set(development)
    assert not {"pytest", "mypy", "ruff", "hypothesis"} & {each.split("==")[0] for each in running}


def test_the_local_chain_is_the_only_runtime_dependency_from_npm() -> None:
    package = json.loads((PROJECT / "package.json").read_text("utf-8"))
    assert list(package["dependencies"]) == ["hardhat"]


@pytest.mark.parametrize("lock", sorted(PROJECT.glob("*lock*")), ids=lambda path: path.name)
def test_a_lock_file_names_no_download_address(lock: Path) -> None:
    assert not re.search(r'"resolved"|--index-url|--find-links| @ ', lock.read_text("utf-8"))


def test_setup_leaves_the_large_packages_out_on_the_newest_python() -> None:
    text = (PROJECT / "requirements-dev.lock").read_text("utf-8")
    small = newest.small_lock(text)
    assert set(NAMES.findall(text)) - set(NAMES.findall(small)) == newest.LEFT_OUT
    assert small.count("--hash") < text.count("--hash")


def test_the_package_description_has_no_link_to_files_of_the_repository() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]
    assert not re.search(r"\]\(|docs/", project["readme"]["text"])
    assert all(f"pingzheng[{extra}" in project["readme"]["text"] for extra in ("sm", "service"))


def test_the_setup_script_waits_after_an_interruption_until_the_installer_has_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("time.sleep", interrupt)
    with pytest.raises(KeyboardInterrupt):
        setup.run([sys.executable, "-c", "import time; time.sleep(600)"], tmp_path)
    monkeypatch.setattr(setup, "install", lambda _step: interrupt(0))
    with pytest.raises(SystemExit) as ended:
        setup.main("node")
    assert ended.value.code == setup.EXIT_INTERRUPTED
