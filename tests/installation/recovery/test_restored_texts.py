"""After a restore, erased texts stay erased, and texts that may have been erased stay unreadable."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ledger.errors import Conflict, Misconfigured, NotFound
from ledger.installation.recovery.backup import back_up
from ledger.installation.recovery.reclosing import ClosedTexts
from ledger.installation.recovery.restoring import Sources, restore
from ledger.installation.settings import Settings
from ledger.installation.wiring import open_ledger
from tests.installation.recovery.lost_disk import Opened, Story, renewed
from tests.support.ledgers.small_ledger import copied, reopened

# Returns the numbers of the certificates, each with the id of the certificate's sealed disclosures.
CLAIMS = """SELECT c.certificate_no, p.sealed_id FROM certificate c
JOIN "authorization" a ON a.request_id = c.request_id JOIN provision p ON p.authorization_id = a.id"""


def test_texts_erased_after_the_backup_stay_erased(story: Story, with_archive: Opened, without_archive: Opened) -> None:
    file = story.backup / "ledger.db"
    with closing(sqlite3.connect(file)) as connection:
        query = (
            f"SELECT wrapped_key FROM sealed WHERE id IN (SELECT sealed_id FROM ({CLAIMS}) WHERE certificate_no = ?)"
        )
        assert connection.execute(query, [story.erased]).fetchone()[0], "the backup must still contain the text"
    for opened in (with_archive, without_archive):
        assert opened.restored.erased == 1 and not opened.restored.texts_damaged
        with pytest.raises(NotFound, match="SEALED_ERASED"):
            opened.ledger.certificates.bundles.build(story.erased)
        assert opened.ledger.certificates.bundles.build(story.early)


def test_without_a_list_of_erasures_texts_stay_unreadable_until_the_operator_confirms_the_erasures(
    story: Story, home: Settings, tmp_path: Path
) -> None:
    result = restore(home, story.sources())
    assert result.erased is None and result.closed > 0
    with open_ledger(home) as ledger:
        with pytest.raises(Conflict, match="SEALED_CLOSED"):
            ledger.certificates.bundles.build(story.early)
        # Texts written after the restore can be opened, even after a key rotation.
        with ledger.database.write() as session:
            fresh = ledger.sealer.seal(session, {"new": 1})
            assert ledger.sealer.open(session, fresh) == {"new": 1}
        ledger.key_rotation.begin()
        ledger.key_rotation.run(lambda _: None)
        with pytest.raises(Conflict, match="SEALED_CLOSED"):
            ledger.certificates.bundles.build(story.early)
        texts = ClosedTexts(ledger.database, ledger.reader.chain.ledger, ledger.archiving)
        assert texts.confirm(story.archive / "erased.jsonl") == (1, result.closed - told_erased(story))
        assert ledger.certificates.bundles.build(story.early)
        with pytest.raises(NotFound, match="SEALED_ERASED"):
            ledger.certificates.bundles.build(story.erased)
        assert texts.confirm(None) == (0, 0)


def told_erased(story: Story) -> int:
    lines = (story.archive / "erased.jsonl").read_text().splitlines()
    return sum(len(json.loads(line)["sealed"]) for line in lines)


def test_a_restore_is_refused_if_the_given_list_of_erasures_does_not_exist(
    story: Story, home: Settings, tmp_path: Path
) -> None:
    with pytest.raises(NotFound, match="ERASURES_MISSING"):
        restore(home, story.sources(erasures=tmp_path / "nothing"))
    assert list(tmp_path.iterdir()) == []


def test_texts_stay_unreadable_if_the_list_of_erasures_is_older_than_the_log(
    story: Story, home: Settings, tmp_path: Path
) -> None:
    """The list is too old because the archive was copied before the erasure, or because another list was put in its
    place.
    """
    archive = copied(story.archive, tmp_path / "archive")
    (archive / "erased.jsonl").write_bytes(b"")
    result = restore(home, story.sources(archive=archive))
    assert result.erased == 0 and result.closed > 0
    with open_ledger(home) as ledger:
        with pytest.raises(Conflict, match="SEALED_CLOSED"):
            ledger.certificates.bundles.build(story.early)
        # Texts that the restored log records as erased are erased even without a list of erasures.
        with pytest.raises(NotFound, match="SEALED_ERASED"):
            ledger.certificates.bundles.build(story.erased)


def test_damaged_texts_of_the_archive_do_not_replace_texts_of_the_backup(
    story: Story, home: Settings, tmp_path: Path
) -> None:
    archive = copied(story.archive, tmp_path / "archive")
    (file,) = archive.glob("*.db")
    with closing(sqlite3.connect(story.backup / "ledger.db")) as backup:
        texts = dict(backup.execute("SELECT id, ciphertext FROM sealed WHERE wrapped_key IS NOT NULL").fetchall())
    with closing(sqlite3.connect(file)) as connection:
        records = dict(connection.execute(CLAIMS).fetchall())
        first, later = records[story.early], records[story.late[0]]
        party = "SELECT p.sealed_id FROM party p JOIN certificate c ON c.subject = p.id WHERE certificate_no = ?"
        (name,) = connection.execute(party, [story.late[5]]).fetchone()
        connection.execute("UPDATE sealed SET wrapped_key = NULL, ciphertext = x'' WHERE id = ?", [first])
        for record in (name, later):
            connection.execute("UPDATE sealed SET ciphertext = zeroblob(length(ciphertext)) WHERE id = ?", [record])
        connection.commit()
    assert first in texts and name in texts and later not in texts
    result = restore(home, story.sources(archive=archive))
    assert result.texts_damaged == sorted([first, name, later]) and (result.erased, result.closed) == (1, 1)
    with closing(sqlite3.connect(home.database.removeprefix("sqlite:///"))) as connection:
        after = dict(connection.execute("SELECT id, ciphertext FROM sealed").fetchall())
    assert [after[each] for each in (first, name)] == [texts[first], texts[name]]
    assert after[records[story.erased]] == b""
    with reopened(home, story.pilot) as pilot:
        with pytest.raises(Conflict, match="SEALED_CLOSED"):
            pilot.ledger.certificates.bundles.build(story.early)
        ledger = pilot.ledger
        assert ClosedTexts(ledger.database, result.ledger, ledger.archiving).confirm(None) == (0, 1)
        assert ledger.certificates.bundles.build(story.early)
        with pytest.raises(NotFound, match="SEALED_ERASED"):
            ledger.certificates.bundles.build(story.erased)


def test_a_restore_without_a_wrapping_key_is_refused_with_an_error_about_the_unreadable_texts(
    story: Story, home: Settings, tmp_path: Path
) -> None:
    """The wrapping key was rotated after the backup of the keys. The texts in the archive are wrapped with the new key,
    which is missing in this backup.
    """
    source = copied(story.folder, tmp_path / "story")
    settings = story.settings.model_copy(update={"home": source / "home", "archive": source / "archive"})
    with open_ledger(settings) as ledger:
        ledger.key_rotation.begin()
        ledger.key_rotation.run(lambda _: None)
        back_up(settings, tmp_path / "data-2", tmp_path / "keys-2")
    late = Sources(source / "backup", source / "keys", archive=source / "archive", chain=source / "home")
    with pytest.raises(Misconfigured, match="SEALING_KEY_MISSING") as refused:
        restore(home, late)
    assert refused.value.details["texts"].keys() == {"2"} and not home.home.exists()
    known = Sources(late.backup, late.keys, late.archive, late.chain, without_keys=frozenset({"2"}))
    result = restore(home, known)
    assert result.unheld == refused.value.details["texts"]
    with open_ledger(home) as ledger:
        assert ledger.certificates.bundles.build(story.early)
        with pytest.raises(Misconfigured, match="SEALING_KEY_MISSING"):
            ledger.certificates.bundles.build(story.late[0])
        assert ledger.verification.status(story.late[0])["state"] == "active"
    # The old key is not needed: the archive contains the texts of the backup too, and there they are wrapped with the
    # new key.
    keys = copied(tmp_path / "keys-2", tmp_path / "keys-3")
    (keys / "keys" / "kek-1.key").unlink()
    renewed(keys)
    again = home.model_copy(update={"home": tmp_path / "again"})
    assert restore(again, Sources(late.backup, keys, late.archive, late.chain)).unheld == {}
    with open_ledger(again) as ledger:
        assert ledger.certificates.bundles.build(story.early) and ledger.certificates.bundles.build(story.late[0])
