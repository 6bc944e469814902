"""An interrupted restore leaves no ledger and no key, and can be repeated."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from ledger.errors import Conflict, InvalidInput
from ledger.installation.doctor import Doctor
from ledger.installation.recovery import restoring
from ledger.installation.recovery.backup import draft_of
from ledger.installation.recovery.restoring import restore
from ledger.installation.settings import Settings
from tests.installation.recovery.lost_disk import Opened, Story
from tests.support.ledgers.small_ledger import copied
from tests.support.places import PROJECT


def test_a_restore_into_a_folder_with_files_is_refused(story: Story, home: Settings) -> None:
    home.home.mkdir()
    (home.home / "mine").write_text("x")
    with pytest.raises(Conflict, match="HOME_NOT_EMPTY"):
        restore(home, story.sources())
    assert [path.name for path in home.home.iterdir()] == ["mine"]
    database = home.model_copy(update={"home": home.home / "in", "database_url": "sqlite:////tmp/other.db"})
    with pytest.raises(InvalidInput, match="RESTORE_DATABASE"):
        restore(database, story.sources())


STEPS = ["_copy", "take_chain", "merge", "settle_log", "skip_numbers", "check_log", "check_pages", "sync_all"]


@pytest.mark.parametrize("step", STEPS)
def test_an_interrupted_backup_or_restore_leaves_no_files(
    story: Story, home: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    real = getattr(restoring, step)

    def interrupted(*arguments: object) -> object:
        real(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(restoring, step, interrupted)
    with pytest.raises(KeyboardInterrupt):
        restore(home, story.sources(archive=story.archive))
    assert list(tmp_path.iterdir()) == []


KILLED = """
import os, signal, sys
from pathlib import Path
from ledger.installation.recovery import restoring
from ledger.installation.settings import Settings
real = getattr(restoring, sys.argv[1])
def killed(*arguments):
    real(*arguments)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(restoring, sys.argv[1], killed)
sources = restoring.Sources(*map(Path, sys.argv[3:7]))
restoring.restore(Settings(home=Path(sys.argv[2])), sources)
"""


@pytest.mark.parametrize("step", ["take_chain", "settle_log", "sync_all"])
def test_a_restore_stopped_by_a_power_failure_leaves_no_ledger_and_can_be_repeated(
    story: Story, home: Settings, tmp_path: Path, step: str
) -> None:
    chain = copied(story.chain, tmp_path / "chain")
    places = [str(each) for each in (home.home, story.backup, story.keys, story.archive, chain)]
    command = [sys.executable, "-c", KILLED, step, *places]
    killed = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=100, check=False)
    assert killed.returncode == -9, killed.stderr
    assert not home.home.exists()
    assert restore(home, story.sources(archive=story.archive)).log.lost == ()


# These files hold no secrets and are written again whenever a ledger is opened.
WRITTEN_IN_USE = ("node.log", "seen.json")


def test_the_unfinished_folder_of_a_killed_restore_is_reported_by_the_next_restore_and_by_doctor(
    story: Story, home: Settings, tmp_path: Path
) -> None:
    with draft_of(tmp_path / "under-way"):
        places = tmp_path / "it's", story.backup, story.keys, story.archive, story.chain
        command = [sys.executable, "-c", KILLED, "_copy", *map(str, places)]
        done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=100, check=False)
        assert done.returncode == -9, done.stderr
        result = restore(home, story.sources())
        (left,) = tmp_path.glob(".it's.*.draft")
        (finding,) = result.drafts
        assert (finding.code, finding.where) == ("DRAFT_LEFT", str(left))
        assert {"private keys", "keys of the offices", "the database"} <= set(finding.details["holds"])
        (files, *_) = Doctor(home).examine()
        assert files.findings == (finding,)
    subprocess.run(["sh", "-c", str(finding.hint).partition(": ")[2]], timeout=30, check=True)
    (files, *_) = Doctor(home).examine()
    assert files.findings == () and not list(tmp_path.glob(".*draft"))


def test_only_the_owner_can_read_a_restored_home_folder(story: Story, with_archive: Opened) -> None:
    home = with_archive.ledger.settings.home
    for path in [home, *home.rglob("*")]:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert not mode & 0o077 or path.suffix == ".lock" or path.name in WRITTEN_IN_USE, path
