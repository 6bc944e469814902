"""Faults of the archive: the process is killed at each step of archiving, or the archive's disk is full."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.installation.recovery.backup import back_up
from ledger.installation.recovery.restoring import Sources, restore
from ledger.installation.settings import Settings
from ledger.installation.wiring import create_ledger, open_ledger
from tests.installation.recovery.crashing_archive import PAGES, POINTS, template
from tests.support.ledgers.small_ledger import batches, copied, entries
from tests.support.places import PROJECT

ISSUER = 2
NAMESPACES = (["unshare", "-rm"], ["unshare", "-m"])


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A ledger with one anchored and archived batch, and its backup."""
    folder = tmp_path_factory.mktemp("origin")
    settings = Settings(home=folder / "home", batch_age=0, batch_size=4, archive=folder / "archive")
    with create_ledger(settings) as ledger:
        template(ledger, -1)
        ledger.anchoring.flush()
        back_up(settings, folder / "backup", folder / "keys")
    yield folder


@pytest.mark.parametrize("point", POINTS)
def test_the_archive_has_everything_that_is_on_the_chain_after_a_kill_at_any_step(
    origin: Path, tmp_path: Path, point: str
) -> None:
    """After the kill, a copy of the ledger is restored from backup, archive and chain, and the original ledger
    continues in its own folder. Both must have everything that is on the chain.
    """
    copied(origin / "home", tmp_path / "home")
    copied(origin / "archive", tmp_path / "archive")
    (tmp_path / "home" / "archive.json").write_text(json.dumps({"folder": str(tmp_path / "archive")}))
    command = [
        sys.executable,
        "-m",
        "tests.installation.recovery.crashing_archive",
        "kill",
        str(tmp_path / "home"),
        point,
    ]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    restored = Settings(home=tmp_path / "restored", batch_age=0, batch_size=4)
    archive = copied(tmp_path / "archive", tmp_path / "archive-then")
    chain = tmp_path / "home" / "chain"
    result = restore(restored, Sources(origin / "backup", origin / "keys", archive=archive, chain=chain))
    assert result.log.lost == () and result.log.batches >= 1
    for settings in (restored, Settings(home=tmp_path / "home", batch_age=0, batch_size=4)):
        with open_ledger(settings) as ledger:
            ledger.anchoring.flush()
            here = batches(ledger.database)
            assert ledger.reader.batch_count(ISSUER) == len(here) == max(here) + 1
            assert sorted(entries(ledger.database)) == list(range(len(here)))
            checked = ledger.archiving.check()
            assert checked is not None and checked["batches"] == len(here) and checked["behind"] == 0


def test_a_full_archive_stops_the_anchoring_until_there_is_space(origin: Path, tmp_path: Path) -> None:
    """For every amount of free space, the chain has a batch only if the archive has this batch."""
    home = copied(origin / "home", tmp_path / "home")
    (home / "archive.json").unlink()
    case = [
        sys.executable,
        "-m",
        "tests.installation.recovery.crashing_archive",
        "full",
        str(home),
        str(tmp_path / "disk"),
    ]
    done = subprocess.run([*namespace(), *case], cwd=PROJECT, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["refused"] >= 3 and result["unarchived"] == 0
    assert result["anchored"] == result["archived"] == result["batches"] == 2 + len(PAGES) and result["ok"]


def test_on_a_full_disk_a_backup_or_restore_succeeds_or_leaves_no_files(origin: Path, tmp_path: Path) -> None:
    case = [
        sys.executable,
        "-m",
        "tests.installation.recovery.crashing_archive",
        "small",
        str(origin),
        str(tmp_path / "disk"),
    ]
    done = subprocess.run([*namespace(), *case], cwd=PROJECT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    result = json.loads(done.stdout.splitlines()[-1])
    for refused in result.values():
        assert sum(refused) >= 3 and refused == sorted(refused, reverse=True) and refused[-1] == 0


READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'


@pytest.mark.parametrize("left", ["nothing", "a log in use", "a log alone"])
def test_a_home_folder_on_a_read_only_disk_can_be_backed_up(origin: Path, tmp_path: Path, left: str) -> None:
    home, data, keys = copied(origin / "home", tmp_path / "home"), tmp_path / "data", tmp_path / "keys"
    if left != "nothing":
        code = (
            f"import os, sqlite3; c = sqlite3.connect({str(home / 'ledger.db')!r}); "
            "c.execute('PRAGMA journal_mode=WAL'); c.execute('PRAGMA user_version=7'); os._exit(0)"
        )
        subprocess.run([sys.executable, "-c", code], timeout=30, check=True)
        assert (home / "ledger.db-wal").stat().st_size
    if left == "a log alone":
        (home / "ledger.db-shm").unlink()
    program = ["-c", "from ledger.cli.program import run; run()"]
    backup = [*program, "backup", str(data), "--keys", str(keys), "--home", str(home), "--json"]
    command = [*namespace(), "sh", "-c", READ_ONLY, str(home), sys.executable, *backup]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=100, check=False)
    result = json.loads(done.stdout)
    if left == "a log alone":
        assert (result["error"], result["where"]) == ("DATABASE_READ_ONLY", str(home / "ledger.db"))
        assert not data.exists() and not keys.exists()
    else:
        assert done.returncode == 0, done.stdout
        assert restore(Settings(home=tmp_path / "restored"), Sources(data, keys)).log.lost == ()


def namespace() -> list[str]:
    """Return a command that runs a program with its own mounts; skip the test if the system does not allow this."""
    for command in NAMESPACES:
        tried = [*command, "sh", "-c", "mount -t tmpfs -o size=64k tmpfs /mnt"]
        if subprocess.run(tried, capture_output=True, timeout=30, check=False).returncode == 0:
            return command
    pytest.fail("This system does not allow mounting a small disk, neither as root nor in a user namespace.")
