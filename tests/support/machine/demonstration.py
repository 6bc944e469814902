"""Fixture: one run of ``pingzheng demo`` as a user runs it, for several test files."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.machine.onlookers import watched


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of one run of ``pingzheng demo``; it also contains the run's temporary folder."""
    folder = tmp_path_factory.mktemp("demo")
    (folder / "tmp").mkdir()
    with pytest.MonkeyPatch.context() as patch, watched(folder / "tmp") as seen:
        patch.setenv("PINGZHENG_LOG", "DEBUG")
        patch.setenv("TMPDIR", str(folder / "tmp"))
        result = run(folder, "demo", "--home", str(folder / "var"), "--out", str(folder / "demo-out"))
    assert result.returncode == 0, result.stdout + result.stderr
    # Tests search for personal text in the output of the run, and in what other users of the machine could see during
    # the run.
    (folder / "demo.arguments").write_bytes(b"\n".join(sorted(seen.arguments)))
    (folder / "demo.temporary").write_bytes(b"\n".join(sorted(seen.temporary)))
    (folder / "demo.stdout").write_text(result.stdout, "utf-8")
    (folder / "demo.stderr").write_text(result.stderr, "utf-8")
    return folder


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the demonstration as a user does. Its proposals have a waiting period; in most other tests there is none."""
    command = [str(Path(sys.executable).with_name("pingzheng")), *arguments]
    env = {name: value for name, value in os.environ.items() if name != "PINGZHENG_DELAY"}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=1_200, check=False)
