"""A backup is consistent even while programs write to the ledger. It is never incomplete, it is checked, and only its
owner can read it.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from ledger.errors import Conflict, Forbidden, Incoherent, InvalidInput, Misconfigured, NotFound, PingzhengError
from ledger.installation.recovery import backup
from ledger.installation.recovery.backup import Written, back_up
from ledger.installation.recovery.backup_checks import check_log, check_pages
from ledger.installation.recovery.manifests import DATA, KEYS, Manifest
from ledger.installation.settings import Settings
from ledger.installation.tables import METADATA
from ledger.store.copying import copy_database, reading_copy
from ledger.store.database import Database, open_engine
from ledger.store.tables import Base
from tests.support.actors.pilots import Pilot
from tests.support.ledgers.small_ledger import batches, entries, founded, rows_of, settings_of
from tests.support.places import PROJECT


@pytest.fixture(scope="module")
def pilot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pilot]:
    with founded(settings_of(tmp_path_factory.mktemp("backed-up"))) as pilot:
        pilot.certificate(pilot.firm())
        yield pilot


def copied_home(pilot: Pilot, folder: Path) -> Path:
    """Copy the home, and return the path of the copy. No program writes to the copy."""
    home = folder / "home"
    shutil.copytree(pilot.ledger.settings.home, home, ignore=shutil.ignore_patterns("ledger.db*", "*.lock"))
    copy_database(pilot.ledger.database.engine, home / "ledger.db", METADATA)
    return home


def taken(pilot: Pilot, folder: Path) -> Written:
    return back_up(pilot.ledger.settings, folder / "data", folder / "keys")


def test_a_backup_stores_data_and_keys_in_separate_folders(pilot: Pilot, tmp_path: Path) -> None:
    written, home = taken(pilot, tmp_path), pilot.ledger.settings.home
    data, keys = Manifest.read(tmp_path / "data", DATA), Manifest.read(tmp_path / "keys", KEYS)
    assert data.id == keys.id == written.id and data.ledger == keys.ledger == pilot.ledger.reader.chain.ledger
    assert {"ledger.db", "deployment.json", "installation.json", "chain/journal.jsonl", "chain/clock.json"} <= {
        *data.files
    }
    of_keys = {"keys/accounts.json", "keys/lookup.key", "keys/kek-1.key", "keys/kek-current"}
    offices = {f"offices/{number}/accounts.json" for number in (1, 2, 3)}
    assert {*keys.files} == of_keys | offices
    secrets = [path.read_bytes() for path in (home / "keys").glob("*.key")]
    for name in data.files:
        assert not any(secret.strip() in (tmp_path / "data" / name).read_bytes() for secret in secrets), name
    with reading_copy(tmp_path / "data" / "ledger.db") as session:
        check_log(session)
    assert written.about["batches"] == len(batches(pilot.ledger.database))


def test_only_the_owner_can_read_the_files_of_a_backup(pilot: Pilot, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        taken(pilot, tmp_path)
    finally:
        os.umask(before)
    for path in [
        tmp_path / "data",
        tmp_path / "keys",
        *(tmp_path / "data").rglob("*"),
        *(tmp_path / "keys").rglob("*"),
    ]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_a_backup_is_consistent_although_other_programs_write_meanwhile(pilot: Pilot, tmp_path: Path) -> None:
    """Three backups are made while certificates are issued and anchored; each backup is checked separately."""
    stop, issued, failed = threading.Event(), list[str](), list[BaseException]()

    def work() -> None:
        try:
            while not stop.is_set():
                issued.append(pilot.certificate(pilot.firm()))
        except BaseException as error:
            failed.append(error)

    writer = threading.Thread(target=work)
    writer.start()
    taken_at = list[int]()
    try:
        for number in range(3):
            wanted = len(issued) + 2
            while len(issued) < wanted and not failed:
                stop.wait(0.01)
            written = taken(pilot, tmp_path / str(number))
            taken_at.append(int(written.about["entries"]))
    finally:
        stop.set()
        writer.join()
    assert not failed, failed
    assert taken_at == sorted(set(taken_at)), "each backup must hold more entries than the previous one"
    here = entries(pilot.ledger.database)
    for number in range(3):
        file = tmp_path / str(number) / "data" / "ledger.db"
        check_pages(file)
        with reading_copy(file) as session:
            check_log(session)
            found: dict[int, bytes] = dict(
                session.execute(text("SELECT seq, body FROM entry WHERE batch IS NOT NULL")).tuples().all()
            )
        assert found == {seq: here[seq] for seq in found}


def test_a_backup_overwrites_no_existing_file(pilot: Pilot, tmp_path: Path) -> None:
    taken(pilot, tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    for data, keys in (("data", "new"), ("new", "keys"), ("data", "keys")):
        with pytest.raises(Conflict, match="BACKUP_EXISTS"):
            back_up(pilot.ledger.settings, tmp_path / data, tmp_path / keys)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("data", "keys"), [("a", "a"), ("a", "a/keys"), ("a/data", "a"), ("home", "k"), ("d", "home/k")]
)
def test_a_backup_needs_separate_folders_for_its_data_and_keys_outside_the_home(
    pilot: Pilot, tmp_path: Path, data: str, keys: str
) -> None:
    home = pilot.ledger.settings.home
    places = [home.parent / name if name.startswith("home") else tmp_path / name for name in (data, keys)]
    assert home.name == "home"
    with pytest.raises(InvalidInput, match="BACKUP_FOLDERS"):
        back_up(pilot.ledger.settings, *places)


@pytest.mark.parametrize(
    "step", ["copy_database", "_copy_keys", "check_log", "check_keys", "check_accounts", "sync_all"]
)
def test_an_interrupted_backup_or_restore_leaves_no_files(
    pilot: Pilot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    real = getattr(backup, step)

    def interrupted(*arguments: object) -> object:
        real(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(backup, step, interrupted)
    with pytest.raises(KeyboardInterrupt):
        taken(pilot, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_backup_ended_by_a_signal_leaves_no_files(
    pilot: Pilot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    real, before = check_log, signal.getsignal(number)

    def dropped(*arguments: Any) -> object:
        os.kill(os.getpid(), number)
        return real(*arguments)

    monkeypatch.setattr(backup, "check_log", dropped)
    with pytest.raises(KeyboardInterrupt):
        taken(pilot, tmp_path)
    assert list(tmp_path.iterdir()) == [] and signal.getsignal(number) == before


KILLED = """
import os, signal, sys
from pathlib import Path
from ledger.installation.recovery import backup
from ledger.installation.settings import Settings
step, real = sys.argv[1], getattr(backup, sys.argv[1])
def killed(*arguments):
    real(*arguments)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(backup, step, killed)
backup.back_up(Settings(home=Path(sys.argv[2])), Path(sys.argv[3]), Path(sys.argv[4]))
"""


@pytest.mark.parametrize("step", ["copy_database", "_copy_keys", "sync_all"])
def test_a_folder_left_by_a_power_failure_is_not_accepted_as_a_backup(pilot: Pilot, tmp_path: Path, step: str) -> None:
    data, keys = tmp_path / "data", tmp_path / "keys"
    command = [sys.executable, "-c", KILLED, step, str(pilot.ledger.settings.home), str(data), str(keys)]
    killed = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=100, check=False)
    assert killed.returncode == -9, killed.stderr
    assert not data.exists() and not keys.exists()
    with pytest.raises(NotFound, match="BACKUP_MISSING"):
        Manifest.read(data, DATA)
    taken(pilot, tmp_path)
    Manifest.read(data, DATA)


@pytest.mark.parametrize(
    ("damage", "error"),
    [
        ("UPDATE entry SET body = CAST(replace(CAST(body AS TEXT), 'S51', 'S52') AS BLOB)", Incoherent),
        ("UPDATE batch SET root = lower(hex(zeroblob(32))) WHERE number = 0", Incoherent),
        ("DELETE FROM entry WHERE seq = 2", Incoherent),
        ("UPDATE sealed SET ciphertext = zeroblob(40) WHERE id = (SELECT max(id) FROM sealed)", Misconfigured),
        ("UPDATE sealed SET key_id = 'gone' WHERE id = (SELECT max(id) FROM sealed)", Misconfigured),
    ],
)
def test_a_damaged_ledger_is_not_backed_up(
    pilot: Pilot, tmp_path: Path, damage: str, error: type[PingzhengError]
) -> None:
    home = copied_home(pilot, tmp_path)
    with closing(sqlite3.connect(home / "ledger.db")) as connection:
        assert connection.execute(damage).rowcount >= 1
        connection.commit()
    with pytest.raises(error):
        back_up(Settings(home=home), tmp_path / "data", tmp_path / "keys")
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_every_change_to_a_file_of_a_backup_is_reported(pilot: Pilot, tmp_path: Path) -> None:
    taken(pilot, tmp_path)
    for folder, kind in ((tmp_path / "data", DATA), (tmp_path / "keys", KEYS)):
        names = [*Manifest.read(folder, kind).files, "manifest.json"]
        for name in names:
            path = folder / name
            raw = path.read_bytes()
            for damaged in (raw[:-1], raw[: len(raw) // 2], bytes([raw[0] ^ 1]) + raw[1:], raw + b"\n", b""):
                path.write_bytes(damaged)
                if name == "manifest.json" and damaged == raw + b"\n":
                    continue
                with pytest.raises(Misconfigured, match="BACKUP_DAMAGED") as refused:
                    Manifest.read(folder, kind)
                assert refused.value.where == str(path)
            path.unlink()
            with pytest.raises(PingzhengError, match=r"BACKUP_(DAMAGED|MISSING)"):
                Manifest.read(folder, kind)
            path.write_bytes(raw)
        (folder / "more").write_text("x")
        with pytest.raises(Misconfigured, match=r"BACKUP_DAMAGED.*more does not belong"):
            Manifest.read(folder, kind)


def test_a_data_folder_is_not_accepted_as_keys_nor_a_key_folder_as_data(pilot: Pilot, tmp_path: Path) -> None:
    taken(pilot, tmp_path)
    for folder, kind in ((tmp_path / "data", KEYS), (tmp_path / "keys", DATA)):
        with pytest.raises(Misconfigured, match="BACKUP_DAMAGED"):
            Manifest.read(folder, kind)


def test_a_database_other_than_sqlite_is_copied_table_by_table(pilot: Pilot, tmp_path: Path) -> None:
    backup_of, here = tmp_path / "copy.db", pilot.ledger.database
    from ledger.store import copying

    backup_of.touch(0o600)
    copying._copy_tables(here, backup_of, METADATA)
    copy = Database(open_engine(f"sqlite:///{backup_of}"))
    tables = [mapper.class_ for mapper in Base.registry.mappers]
    assert rows_of(copy, *tables) == rows_of(here, *tables)


def test_keys_in_the_environment_are_checked_and_not_copied(
    pilot: Pilot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = copied_home(pilot, tmp_path)
    kek = (home / "keys" / "kek-1.key").read_text().strip()
    for path in (home / "keys").glob("kek-*"):
        path.unlink()
    settings = Settings(home=home, key_provider="environment")
    monkeypatch.setenv("PINGZHENG_KEK_CURRENT", "1")
    monkeypatch.setenv("PINGZHENG_KEK_1", "00" * 32)
    with pytest.raises(Misconfigured, match="SEALING_KEY_WRONG"):
        back_up(settings, tmp_path / "data", tmp_path / "keys")
    monkeypatch.setenv("PINGZHENG_KEK_1", kek)
    back_up(settings, tmp_path / "data", tmp_path / "keys")
    files = [path for folder in ("data", "keys") for path in (tmp_path / folder).rglob("*") if path.is_file()]
    assert len(files) > 8 and not any(kek.encode() in path.read_bytes() for path in files)


def test_a_backup_of_a_folder_without_a_ledger_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="LEDGER_MISSING"):
        back_up(Settings(home=tmp_path / "nothing"), tmp_path / "data", tmp_path / "keys")
    (tmp_path / "joined").mkdir()
    (tmp_path / "joined" / "joined.json").write_text(
        json.dumps({"party": "aa" * 32, "account": "0x" + "00" * 20, "rpc_url": "http://x", "ledger": "bb" * 32})
    )
    with pytest.raises(Forbidden, match="NOT_THE_OPERATOR"):
        back_up(Settings(home=tmp_path / "joined"), tmp_path / "data", tmp_path / "keys")
