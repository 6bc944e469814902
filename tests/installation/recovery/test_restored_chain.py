"""A restore uses the newest of the available chains, and refuses a chain that has lost anchored batches."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ledger.errors import Conflict, Incoherent, NotFound
from ledger.installation.recovery.restoring import Sources, restore
from ledger.installation.settings import Settings
from ledger.installation.wiring import open_ledger
from tests.installation.recovery.lost_disk import Opened, Story, coherent, renewed
from tests.support.ledgers.small_ledger import batches, copied


def test_the_newer_of_two_journals_is_restored(story: Story, home: Settings, tmp_path: Path) -> None:
    """A journal that is older than the backup's journal is not used. Without an archive, the ledger is restored as it
    was at the time of the backup.
    """
    old = tmp_path / "old"
    old.mkdir()
    lines = (story.backup / "chain" / "journal.jsonl").read_bytes().splitlines(keepends=True)
    (old / "journal.jsonl").write_bytes(b"".join(lines[:-2]) + lines[-2][:20])
    shutil.copy(story.backup / "chain" / "clock.json", old)
    result = restore(home, story.sources(chain=old))
    assert result.chain == "backup" and result.log.batches == story.batches_then and result.log.lost == ()
    (home.home / "chain" / "journal.jsonl").unlink()


def test_a_lost_local_chain_is_restored_from_the_archive(story: Story, home: Settings, tmp_path: Path) -> None:
    """Acts that are only in the journal are restored too: a revoked certificate stays revoked."""
    result = restore(home, story.sources(chain=None, archive=copied(story.archive, tmp_path / "archive")))
    assert result.chain == "archive" and result.log.batches == len(story.batches) and result.log.lost == ()
    with open_ledger(home) as ledger:
        assert ledger.verification.status(story.late[1])["state"] == "revoked"
        assert coherent(ledger)


def test_a_chain_that_lost_its_end_is_refused_unless_the_loss_is_accepted(
    story: Story, home: Settings, tmp_path: Path
) -> None:
    """The archive contains batches that the chain lost, so the restore is refused. If the operator accepts the loss,
    the restore anchors these batches again.
    """
    archive = copied(story.archive, tmp_path / "archive")
    for folder in archive.glob("*.chain"):
        shutil.rmtree(folder)
    with pytest.raises(Incoherent, match="CHAIN_BEHIND_ARCHIVE"):
        restore(home, story.sources(chain=None, archive=archive))
    assert not home.home.exists()
    result = restore(home, story.sources(chain=None, archive=archive, accept_chain_loss=True))
    assert result.chain == "backup" and result.log.waiting == len(story.batches) - story.batches_then
    with open_ledger(home) as ledger:
        ledger.anchoring.flush()
        assert ledger.reader.batch_count(ledger.installation.issuer) == len(story.batches)
        assert batches(ledger.database) == story.batches
        assert ledger.verification.status(story.late[0])["state"] == "active"
        assert coherent(ledger)


def test_a_chain_older_than_the_backup_is_refused(story: Story, home: Settings, tmp_path: Path) -> None:
    backup = copied(story.backup, tmp_path / "backup")
    journal = backup / "chain" / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:-3]))
    renewed(backup)
    with pytest.raises(Incoherent, match=r"CHAIN_BEHIND_DATABASE"):
        restore(home, Sources(backup, story.keys))
    assert not home.home.exists() and not list(tmp_path.glob(".*draft"))


def test_a_journal_of_another_chain_is_refused(story: Story, home: Settings, tmp_path: Path) -> None:
    other = copied(story.backup / "chain", tmp_path / "other")
    lines = (other / "journal.jsonl").read_bytes().splitlines(keepends=True)
    (other / "journal.jsonl").write_bytes(b"".join(lines[:3] + lines[4:]))
    with pytest.raises(Conflict, match="CHAINS_DIFFER"):
        restore(home, story.sources(chain=other))
    with pytest.raises(NotFound, match="CHAIN_FOLDER_MISSING"):
        restore(home, story.sources(chain=tmp_path))


def test_the_journal_of_a_running_chain_is_not_copied(story: Story, home: Settings, with_archive: Opened) -> None:
    running = with_archive.ledger.settings.home / "chain"
    with pytest.raises(Conflict, match="CHAIN_RUNNING"):
        restore(home, story.sources(chain=running))


def test_a_ledger_is_restored_onto_a_running_node_of_its_chain(
    story: Story, home: Settings, with_archive: Opened
) -> None:
    """The restore is given the node's URL, so the restored ledger runs no local chain."""
    url = with_archive.ledger.client.connection.url
    settings = home.model_copy(update={"rpc_url": url})
    result = restore(settings, story.sources(chain=None, archive=story.archive))
    assert result.chain == "elsewhere" and result.log.batches >= len(story.batches)
    assert not (home.home / "chain").exists()
