"""A restore refuses backups, keys and archives that are damaged or belong to another ledger, and leaves no files."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import update

from ledger.errors import Incoherent, Misconfigured, NotFound
from ledger.installation.recovery.archive import Archive
from ledger.installation.recovery.restoring import Sources, restore
from ledger.installation.settings import Settings
from ledger.store.database import Database, open_engine
from ledger.store.tables import Entry
from tests.installation.recovery.lost_disk import Story, renewed
from tests.support.ledgers.small_ledger import copied


@pytest.mark.parametrize("name", ["ledger.db", "deployment.json", "chain/journal.jsonl", "manifest.json"])
def test_the_error_about_a_damaged_backup_names_the_backup(
    story: Story, home: Settings, tmp_path: Path, name: str
) -> None:
    backup = copied(story.backup, tmp_path / "backup")
    raw = bytearray((backup / name).read_bytes())
    raw[len(raw) // 2] ^= 1
    (backup / name).write_bytes(raw)
    with pytest.raises(Misconfigured, match="BACKUP_DAMAGED") as refused:
        restore(home, Sources(backup, story.keys))
    assert refused.value.where == str(backup / name)
    assert not home.home.exists() and not list(tmp_path.glob(".*draft"))


def test_the_error_about_damaged_keys_or_keys_of_another_ledger_names_the_keys(
    story: Story, home: Settings, tmp_path: Path
) -> None:
    keys = copied(story.keys, tmp_path / "keys")
    result = json.loads((keys / "manifest.json").read_text())
    (keys / "keys" / "lookup.key").unlink()
    with pytest.raises(Misconfigured, match=r"BACKUP_DAMAGED.*lookup\.key is missing"):
        restore(home, Sources(story.backup, keys))
    from ledger.installation.recovery.manifests import MANIFEST, Manifest

    (keys / MANIFEST).unlink()
    Manifest.of(keys, result["format"], result["id"], "cd" * 32, result["made_at"]).write(keys)
    with pytest.raises(Misconfigured, match="BACKUP_KEYS_DIFFER"):
        restore(home, Sources(story.backup, keys))


def test_an_archive_of_another_ledger_is_refused(story: Story, home: Settings, tmp_path: Path) -> None:
    archive = copied(story.archive, tmp_path / "archive")
    (file,) = archive.glob("*.db")
    other = file.with_name(f"{'cd' * 8}.db")
    file.rename(other)
    with pytest.raises(Misconfigured, match="ARCHIVE_DIFFERS"):
        restore(home, story.sources(archive=archive))
    other.rename(file)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("UPDATE ledger_identity SET digest = ?", ["cd" * 32])
        connection.commit()
    with pytest.raises(Misconfigured, match="ARCHIVE_DIFFERS"):
        restore(home, story.sources(archive=archive))
    with pytest.raises(NotFound, match="ARCHIVE_UNKNOWN"):
        restore(home, story.sources(archive=tmp_path))
    assert not home.home.exists() and not list(tmp_path.glob(".*draft"))


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        ("UPDATE alembic_version SET version_num = '9999'", "DATABASE_NEWER"),
        ("DELETE FROM alembic_version", "ARCHIVE_UNREADABLE"),
        ("DROP TABLE alembic_version", "ARCHIVE_UNREADABLE"),
        ("DROP TABLE certificate", "ARCHIVE_UNREADABLE"),
        ("", "ARCHIVE_UNREADABLE"),
    ],
)
def test_the_error_about_an_unreadable_archive_names_the_archive(
    story: Story, home: Settings, tmp_path: Path, damage: str, code: str
) -> None:
    archive = copied(story.archive, tmp_path / "archive")
    (file,) = archive.glob("*.db")
    if not damage:
        file.write_bytes(b"no database" * 1_000)
    else:
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA foreign_keys = OFF")
            connection.execute(damage)
            connection.commit()
    with pytest.raises(Misconfigured, match=code) as refused:
        restore(home, story.sources(archive=archive))
    assert refused.value.where == str(file)
    assert not home.home.exists() and not list(tmp_path.glob(".*draft"))
    ledger = json.loads((story.backup / "manifest.json").read_text())["ledger"]
    with pytest.raises(Misconfigured, match=code) as refused:
        Archive(file).prepare(ledger, 0)
    assert refused.value.where == str(file)


def test_a_restore_loses_only_the_damaged_batch_of_an_archive(story: Story, home: Settings, tmp_path: Path) -> None:
    archive = copied(story.archive, tmp_path / "archive")
    bad = story.batches_then + 10
    (file,) = archive.glob("*.db")
    engine = open_engine(f"sqlite:///{file}")
    with Database(engine).write() as session:
        session.connection().execute(update(Entry).where(Entry.batch == bad).values(body=b"{}"))
    engine.dispose()
    result = restore(home, story.sources(archive=archive))
    assert result.merged.damaged == (bad,) and [each.batch for each in result.log.lost] == [bad]


def test_a_certificate_without_its_row_in_the_archive_is_reported_as_lost(
    story: Story, home: Settings, tmp_path: Path
) -> None:
    archive, number = copied(story.archive, tmp_path / "archive"), story.late[3]
    (file,) = archive.glob("*.db")
    with closing(sqlite3.connect(file)) as connection:
        query = "SELECT batch FROM entry WHERE digest = (SELECT digest FROM certificate WHERE certificate_no = ?)"
        (bad,) = connection.execute(query, [number]).fetchone()
        assert connection.execute("DELETE FROM certificate WHERE certificate_no = ?", [number]).rowcount == 1
        connection.commit()
    result = restore(home, story.sources(archive=archive))
    assert result.merged.damaged == (bad,) and [each.batch for each in result.log.lost] == [bad]


def test_an_archived_batch_that_differs_from_the_chain_is_refused(story: Story, home: Settings, tmp_path: Path) -> None:
    backup = copied(story.backup, tmp_path / "backup")
    with closing(sqlite3.connect(backup / "ledger.db")) as connection:
        connection.execute("UPDATE batch SET root = lower(hex(zeroblob(32))) WHERE number = 2")
        connection.commit()
    renewed(backup)
    with pytest.raises(Incoherent, match="LOG_FORKED"):
        restore(home, Sources(backup, story.keys, chain=story.chain))
