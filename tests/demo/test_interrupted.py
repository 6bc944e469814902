"""The demonstration is interrupted in every step, or its process is killed, and it is started again. The next run
continues and repeats no act.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ledger.demo.alone import alone_in
from ledger.demo.opening import open_pilot
from ledger.demo.stages import Run
from ledger.errors import Conflict
from ledger.installation.settings import Settings
from ledger.installation.wiring import Ledger
from tests.demo.small_runs import SENT, WRITTEN, Points, kept, reported, run_small
from tests.support.places import PROJECT

# In each step, a run is interrupted at these points: before the step, at its first transaction, and at its second
# committed change.
STRUCK = (("before", 0), (SENT, 1), (WRITTEN, 2))
# The points at which a process is killed: during registrations, asset histories, key recoveries, answers of sources,
# and verification.
KILLED = (
    ("submit", SENT, 1),
    ("转让 transfer", SENT, 3),
    ("密钥恢复与否决 recover one key, veto a forged recovery", SENT, 4),
    ("数据源答复 sources answer", WRITTEN, 2),
    ("核验并使用 verify and use", SENT, 9),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The report of a demonstration, and how many entries, events, certificates and presentations its ledger has."""

    reported: dict[str, Any]
    kept: dict[str, Any]


@pytest.fixture(scope="module", autouse=True)
def waiting() -> Iterator[None]:
    """Use the real waiting period for proposals, which other tests set to zero."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PINGZHENG_DELAY", raising=False)
        yield


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """Return the outcome of a demonstration without interruptions."""
    folder = tmp_path_factory.mktemp("whole")
    with open_pilot(Settings(home=folder / "var")) as ledger:
        run = run_small(ledger, folder / "out", Points(lambda *_point: None))
        assert run.found == 0
        return Outcome(reported(run), kept(ledger))


def test_a_demonstration_interrupted_in_every_step_has_the_result_of_an_uninterrupted_run(
    whole: Outcome, tmp_path: Path
) -> None:
    struck: list[tuple[str, str, int]] = []

    def strike(*point: Any) -> None:
        if point[1:] in STRUCK and point not in struck:
            struck.append(point)
            raise KeyboardInterrupt

    with open_pilot(Settings(home=tmp_path / "var")) as ledger:
        run = run_to_the_end(ledger, tmp_path / "out", Points(strike))
        assert Outcome(reported(run), kept(ledger)) == whole
    steps = [step for step, what, _ in struck if what == "before"]
    # Each step and the end were reached; most steps send a transaction and write to the database.
    assert len(steps) == len(set(steps)) == 43
    assert len(struck) > 90
    assert run.as_expected and run.found > 500


def run_to_the_end(ledger: Ledger, out: Path, points: Points) -> Run:
    while True:
        try:
            return run_small(ledger, out, points)
        except KeyboardInterrupt:
            continue


def test_the_next_run_of_the_demonstration_continues_after_a_kill_in_any_listed_step(
    whole: Outcome, tmp_path: Path
) -> None:
    for step, what, times in (("opening", SENT, 1), *KILLED):
        command = [sys.executable, "-m", "tests.demo.small_runs", str(tmp_path), step, what, str(times)]
        killed = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=300, check=False)
        assert killed.returncode == -signal.SIGKILL, f"{step}: {killed.stdout}{killed.stderr}"
    with open_pilot(Settings(home=tmp_path / "var")) as ledger:
        run = run_small(ledger, tmp_path / "out", Points(lambda *_point: None))
        assert Outcome(reported(run), kept(ledger)) == whole


def test_a_second_demonstration_at_the_same_time_in_one_folder_is_refused(tmp_path: Path) -> None:
    home, out = tmp_path / "var", tmp_path / "out"
    with alone_in(home, out):
        for folders in ({"home": home, "out": tmp_path / "other"}, {"home": tmp_path / "another", "out": out}):
            with pytest.raises(Conflict) as refused, alone_in(*folders.values()):
                pass
            assert refused.value.code == "DEMO_RUNNING"
        command = demo("--home", str(home), "--out", str(out))
        assert command.returncode == 2
        assert "DEMO_RUNNING" in command.stderr
        assert not any(home.iterdir())
    with alone_in(home, out):
        assert not any(out.iterdir())


def test_the_command_interrupted_with_ctrl_c_prints_what_is_kept_and_how_to_continue(tmp_path: Path) -> None:
    home = tmp_path / "var"
    command = [
        str(Path(sys.executable).with_name("pingzheng")),
        "demo",
        "--home",
        str(home),
        "--out",
        str(tmp_path / "out"),
    ]
    running = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert running.stderr is not None
    assert "新建账本" in running.stderr.readline()
    while not (home / "deployment.json").exists() and running.poll() is None:
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=120)
    assert running.returncode == 130, said
    assert str(home) in said and f"pingzheng demo --home {home}" in said


def demo(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("pingzheng")), "demo", *arguments]
    return subprocess.run(command, env=dict(os.environ), capture_output=True, text=True, timeout=120, check=False)
