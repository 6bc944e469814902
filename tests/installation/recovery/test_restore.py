"""Restoring: backup, archive and chain put together on a chain that went on; what is lost is known, nothing twice.

One story for all: a backup early on, then more than a hundred batches. Its folders are copied, as disks are.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from ledger.certificates.tables import Certificate
from ledger.domain.codes import check_certificate_no
from ledger.domain.parties import Role
from ledger.errors import Conflict, Incoherent, InvalidInput, Misconfigured, NotFound
from ledger.installation.doctor import Doctor
from ledger.installation.recovery import restoring
from ledger.installation.recovery.archive import Archive
from ledger.installation.recovery.backup import back_up, draft_of
from ledger.installation.recovery.reclosing import ClosedTexts
from ledger.installation.recovery.restored_log import SERIES_GAP
from ledger.installation.recovery.restoring import Restored, Sources, restore
from ledger.installation.settings import Settings
from ledger.installation.tables import METADATA
from ledger.installation.wiring import Ledger, open_ledger
from ledger.log.coherence import Coherence
from ledger.parties.access.tables import ApiKey, SignedIn
from ledger.parties.roles import Actor
from ledger.parties.tables import Mandate, Party, PartyKey
from ledger.registration.tables import ActDocument, Application, Registration, Resource
from ledger.store.database import Database, open_engine
from ledger.store.tables import Counter, Entry
from ledger.usage.tables import AccessRequest
from tests.support.actors.pilots import Pilot
from tests.support.ledgers.small_ledger import batches, copied, entries, founded, reopened, rows_of, settings_of, valid

PROJECT = Path(__file__).parents[3]
LATER = 27
AHEAD = 100


@dataclass
class Story:
    """What happened before the disk was lost, and where its pieces are."""

    folder: Path
    settings: Settings
    pilot: Pilot
    early: str
    erased: str
    late: list[str]
    bundles: dict[str, bytes]
    digests: dict[str, str]
    batches: dict[int, tuple[int, int, str]]
    entries: dict[int, bytes]
    batches_then: int

    @property
    def backup(self) -> Path:
        return self.folder / "backup"

    @property
    def keys(self) -> Path:
        return self.folder / "keys"

    @property
    def chain(self) -> Path:
        return self.folder / "home" / "chain"

    @property
    def archive(self) -> Path:
        return self.folder / "archive"

    def sources(self, **others: Any) -> Sources:
        return Sources(self.backup, self.keys, **{"chain": self.chain} | others)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    folder = tmp_path_factory.mktemp("story")
    settings = settings_of(folder, archive=folder / "archive", batch_size=1)
    with founded(settings) as pilot:
        ledger = pilot.ledger
        early, erased = pilot.certificate(pilot.firm()), pilot.certificate(gone := pilot.firm())
        waiting = pilot.authorise(pilot.firm())
        assert waiting
        back_up(settings, folder / "backup", folder / "keys")
        then = len(batches(ledger.database))
        actor = Actor(pilot.bureau.cast.firms[gone], frozenset({Role.SUBJECT}))
        ledger.erasure.certificate(actor, erased, "subject_request")
        late = [pilot.certificate(pilot.firm()) for _ in range(LATER)]
        bundles = {number: ledger.bundles.build(number).to_bytes() for number in [early, *late]}
        ledger.status.revoke(late[1], "data_error")
        with ledger.database.read() as session:
            digests = dict(session.execute(select(Certificate.certificate_no, Certificate.digest)).all())
        told = Story(
            folder,
            settings,
            pilot,
            early,
            erased,
            late,
            bundles,
            digests,
            batches(ledger.database),
            entries(ledger.database),
            then,
        )
    assert len(told.batches) >= then + AHEAD
    return told


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "new", batch_age=0, batch_size=1, delay=0)


@dataclass
class Opened:
    """A restored ledger, and what the restore said."""

    told: Restored
    pilot: Pilot

    @property
    def ledger(self) -> Ledger:
        return self.pilot.ledger


@pytest.fixture(scope="module")
def with_archive(story: Story, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    settings = Settings(home=tmp_path_factory.mktemp("whole") / "home", batch_age=0, batch_size=1)
    archive = copied(story.archive, settings.home.parent / "archive")
    told = restore(settings, story.sources(archive=archive))
    with reopened(settings, story.pilot) as pilot:
        yield Opened(told, pilot)


@pytest.fixture(scope="module")
def without_archive(story: Story, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    settings = Settings(home=tmp_path_factory.mktemp("part") / "home", batch_age=0, batch_size=1)
    told = restore(settings, story.sources(erasures=story.archive / "erased.jsonl"))
    with reopened(settings, story.pilot) as pilot:
        # A list may be an old one: what lost batches recorded is not known, so texts were closed.
        ledger = pilot.ledger
        assert ClosedTexts(ledger.database, told.ledger, ledger.archiving).confirm(None) == (0, told.closed)
        assert told.closed > 0
        yield Opened(told, pilot)


def coherent(ledger: Ledger) -> bool:
    issuer = ledger.installation.issuer
    return Coherence(ledger.database, ledger.reader, issuer, ledger.clock, local=True).findings() == []


def issues(opened: Opened, story: Story) -> str:
    """A certificate that is issued, anchored, and verified after the restore."""
    pilot = opened.pilot
    pilot._next = story.pilot._next
    firm = pilot.firm()
    number = pilot.certificate(firm)
    assert pilot.accept(firm, number).valid
    return number


def test_with_the_archive_everything_anchored_is_back(story: Story, with_archive: Opened) -> None:
    ledger, told = with_archive.ledger, with_archive.told
    assert told.log.lost == () and told.merged.batches >= AHEAD and told.merged.damaged == ()
    assert told.chain == "given" and told.closed == 0 and told.erased == 1 and told.unheld == {}
    assert (told.parties_unknown, told.assets_unknown) == (0, 0)
    here = batches(ledger.database)
    assert {number: here[number] for number in story.batches} == story.batches
    found = entries(ledger.database)
    assert {seq: found[seq] for seq in story.entries} == story.entries
    assert coherent(ledger)
    for number in (story.early, *story.late):
        bundle = ledger.bundles.build(number).to_bytes()
        state = "revoked" if number == story.late[1] else "active"
        assert ledger.verification.status(number)["state"] == state
        assert valid(with_archive.pilot, bundle) == (state == "active")
    assert ledger.inspection.head()["complete"]


def test_with_the_archive_what_entries_name_is_as_it_was_last_archived(with_archive: Opened, story: Story) -> None:
    with with_archive.ledger.database.read() as session:
        for number in story.late:
            row = session.get_one(Certificate, number)
            assert session.get_one(AccessRequest, str(row.request_id)).state == "fulfilled"


def test_what_was_erased_after_the_backup_stays_erased(
    story: Story, with_archive: Opened, without_archive: Opened
) -> None:
    file = story.backup / "ledger.db"
    with closing(sqlite3.connect(file)) as connection:
        query = "SELECT wrapped_key FROM sealed WHERE id = (SELECT sealed_id FROM certificate WHERE certificate_no = ?)"
        assert connection.execute(query, [story.erased]).fetchone()[0], "the backup still has the text"
    for opened in (with_archive, without_archive):
        assert opened.told.erased == 1 and not opened.told.texts_damaged
        with pytest.raises(NotFound, match="SEALED_ERASED"):
            opened.ledger.bundles.build(story.erased)
        assert opened.ledger.bundles.build(story.early)


def test_issuing_goes_on_and_no_number_is_given_twice(
    story: Story, with_archive: Opened, without_archive: Opened
) -> None:
    given = {story.early, story.erased, *story.late}
    highest = max(serial(number) for number in given)
    for opened in (with_archive, without_archive):
        number = issues(opened, story)
        assert number not in given and serial(number) > highest
        assert coherent(opened.ledger) and opened.ledger.inspection.head()["complete"]
        row = batches(opened.ledger.database)
        newest = max(row)
        assert newest > max(story.batches) and row[newest][0] > max(story.entries)


def serial(number: str) -> int:
    return int(check_certificate_no(number).split("-")[4])


def test_without_an_archive_the_lost_batches_are_listed_with_their_numbers(
    story: Story, without_archive: Opened
) -> None:
    lost = without_archive.told.log.lost
    assert len(lost) >= AHEAD
    with closing(sqlite3.connect(story.backup / "ledger.db")) as connection:
        kept = {seq for (seq,) in connection.execute("SELECT seq FROM entry")}
    expected = {
        number: (first, first + size - 1)
        for number, (first, size, _) in story.batches.items()
        if not kept.issuperset(range(first, first + size))
    }
    assert {each.batch: (each.first_seq, each.last_seq) for each in lost} == expected
    assert sum(each.missing for each in lost) == len(story.entries.keys() - kept)
    ledger = without_archive.ledger
    assert coherent(ledger)
    assert ledger.inspection.batch(lost[0].batch)["state"] == "lost"
    with pytest.raises(NotFound, match="CERTIFICATE_UNKNOWN"):
        ledger.verification.status(story.late[0])
    # What was anchored verifies as before, with its holder's bundle and the chain alone.
    assert valid(without_archive.pilot, story.bundles[story.late[0]])


def test_every_series_of_numbers_moves_on(story: Story, without_archive: Opened) -> None:
    told, ledger = without_archive.told, without_archive.ledger
    assert told.skipped >= max(SERIES_GAP, sum(each.missing for each in told.log.lost))
    with closing(sqlite3.connect(story.backup / "ledger.db")) as connection:
        before = dict(connection.execute("SELECT name, value FROM counter"))
    with ledger.database.read() as session:
        after: dict[str, int] = dict(session.execute(select(Counter.name, Counter.value)).all())
    series = [name for name in after if name.startswith(("certificate/", "registration/"))]
    assert {name.split("/")[1] for name in series if name.startswith("certificate/")} >= {"440800", "440825", "440883"}
    for name in series:
        assert after[name] >= before.get(name, 0) + told.skipped, name


def test_an_entry_that_waited_in_the_backup_is_not_anchored_twice(story: Story, without_archive: Opened) -> None:
    with closing(sqlite3.connect(story.backup / "ledger.db")) as connection:
        waiting = [seq for (seq,) in connection.execute("SELECT seq FROM entry WHERE batch IS NULL")]
    with without_archive.ledger.database.read() as session:
        where = dict(session.execute(select(Entry.seq, Entry.batch).where(Entry.seq.in_(waiting))).all())
        assert len(where) == len(waiting) >= 2 and None not in where.values()
        digests = session.scalars(select(Entry.digest)).all()
    assert len(digests) == len(set(digests))


def test_parties_come_back_and_nobody_is_signed_in(story: Story, with_archive: Opened) -> None:
    ours = rows_of(Database(open_engine(f"sqlite:///{story.folder / 'home' / 'ledger.db'}")), Party, PartyKey)
    assert rows_of(with_archive.ledger.database, Party, PartyKey) == ours
    with with_archive.ledger.database.read() as session:
        assert session.scalars(select(SignedIn)).all() == session.scalars(select(ApiKey)).all() == []


def test_without_the_list_of_erasures_texts_stay_closed_until_confirmed(
    story: Story, home: Settings, tmp_path: Path
) -> None:
    told = restore(home, story.sources())
    assert told.erased is None and told.closed > 0
    with open_ledger(home) as ledger:
        with pytest.raises(Conflict, match="SEALED_CLOSED"):
            ledger.bundles.build(story.early)
        # What is sealed from now on opens; so do keys that are changed meanwhile.
        with ledger.database.write() as session:
            fresh = ledger.sealer.seal(session, {"new": 1})
            assert ledger.sealer.open(session, fresh) == {"new": 1}
        ledger.key_rotation.begin()
        ledger.key_rotation.run(lambda _: None)
        with pytest.raises(Conflict, match="SEALED_CLOSED"):
            ledger.bundles.build(story.early)
        texts = ClosedTexts(ledger.database, ledger.reader.chain.ledger, ledger.archiving)
        assert texts.confirm(story.archive / "erased.jsonl") == (1, told.closed - told_erased(story))
        assert ledger.bundles.build(story.early)
        with pytest.raises(NotFound, match="SEALED_ERASED"):
            ledger.bundles.build(story.erased)
        assert texts.confirm(None) == (0, 0)


def told_erased(story: Story) -> int:
    lines = (story.archive / "erased.jsonl").read_text().splitlines()
    return sum(len(json.loads(line)["sealed"]) for line in lines)


def test_a_list_that_is_named_and_not_there_is_no_list(story: Story, home: Settings, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="ERASURES_MISSING"):
        restore(home, story.sources(erasures=tmp_path / "nothing"))
    assert list(tmp_path.iterdir()) == []


def test_the_newer_of_two_journals_is_taken(story: Story, home: Settings, tmp_path: Path) -> None:
    """The backup alone is a whole ledger of its time; an older journal that is given is left aside."""
    old = tmp_path / "old"
    old.mkdir()
    lines = (story.backup / "chain" / "journal.jsonl").read_bytes().splitlines(keepends=True)
    (old / "journal.jsonl").write_bytes(b"".join(lines[:-2]) + lines[-2][:20])
    shutil.copy(story.backup / "chain" / "clock.json", old)
    told = restore(home, story.sources(chain=old))
    assert told.chain == "backup" and told.log.batches == story.batches_then and told.log.lost == ()
    (home.home / "chain" / "journal.jsonl").unlink()


def test_a_local_chain_that_is_lost_with_the_disk_comes_back_from_the_archive(
    story: Story, home: Settings, tmp_path: Path
) -> None:
    """With what no batch names: a certificate that was revoked stays so."""
    told = restore(home, story.sources(chain=None, archive=copied(story.archive, tmp_path / "archive")))
    assert told.chain == "archive" and told.log.batches == len(story.batches) and told.log.lost == ()
    with open_ledger(home) as ledger:
        assert ledger.verification.status(story.late[1])["state"] == "revoked"
        assert coherent(ledger)


def test_a_chain_that_lost_its_end_is_refused_unless_somebody_says_so(
    story: Story, home: Settings, tmp_path: Path
) -> None:
    """An archive without the journal shows that the chain went on. Accepted, the batches are anchored anew."""
    archive = copied(story.archive, tmp_path / "archive")
    for folder in archive.glob("*.chain"):
        shutil.rmtree(folder)
    with pytest.raises(Incoherent, match="CHAIN_BEHIND_ARCHIVE"):
        restore(home, story.sources(chain=None, archive=archive))
    assert not home.home.exists()
    told = restore(home, story.sources(chain=None, archive=archive, accept_chain_loss=True))
    assert told.chain == "backup" and told.log.waiting == len(story.batches) - story.batches_then
    with open_ledger(home) as ledger:
        ledger.anchoring.flush()
        assert ledger.reader.batch_count(ledger.installation.issuer) == len(story.batches)
        assert batches(ledger.database) == story.batches
        assert ledger.verification.status(story.late[0])["state"] == "active"
        assert coherent(ledger)


def test_a_list_that_is_older_than_the_log_opens_nothing(story: Story, home: Settings, tmp_path: Path) -> None:
    """An archive as it was before the erasure, and one whose list was put aside for another."""
    archive = copied(story.archive, tmp_path / "archive")
    (archive / "erased.jsonl").write_bytes(b"")
    told = restore(home, story.sources(archive=archive))
    assert told.erased == 0 and told.closed > 0
    with open_ledger(home) as ledger:
        with pytest.raises(Conflict, match="SEALED_CLOSED"):
            ledger.bundles.build(story.early)
        # What the log here records as erased is erased all the same.
        with pytest.raises(NotFound, match="SEALED_ERASED"):
            ledger.bundles.build(story.erased)


def test_a_chain_older_than_the_backup_is_refused(story: Story, home: Settings, tmp_path: Path) -> None:
    backup = copied(story.backup, tmp_path / "backup")
    journal = backup / "chain" / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:-3]))
    renewed(backup)
    with pytest.raises(Incoherent, match=r"CHAIN_BEHIND_DATABASE"):
        restore(home, Sources(backup, story.keys))
    assert not home.home.exists() and not list(tmp_path.glob(".*draft"))


def renewed(folder: Path) -> None:
    """The manifest of a backup that was changed on purpose."""
    from ledger.installation.recovery.manifests import MANIFEST, Manifest

    told = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).unlink()
    Manifest.of(folder, told["format"], told["id"], told["ledger"], told["made_at"], **told["about"]).write(folder)


def test_the_journal_of_another_chain_is_refused(story: Story, home: Settings, tmp_path: Path) -> None:
    other = copied(story.backup / "chain", tmp_path / "other")
    lines = (other / "journal.jsonl").read_bytes().splitlines(keepends=True)
    (other / "journal.jsonl").write_bytes(b"".join(lines[:3] + lines[4:]))
    with pytest.raises(Conflict, match="CHAINS_DIFFER"):
        restore(home, story.sources(chain=other))
    with pytest.raises(NotFound, match="CHAIN_FOLDER_MISSING"):
        restore(home, story.sources(chain=tmp_path))


def test_a_chain_that_runs_is_not_copied(story: Story, home: Settings, with_archive: Opened) -> None:
    running = with_archive.ledger.settings.home / "chain"
    with pytest.raises(Conflict, match="CHAIN_RUNNING"):
        restore(home, story.sources(chain=running))


def test_onto_a_running_node_of_the_chain(story: Story, home: Settings, with_archive: Opened) -> None:
    """By its URL, as of a network: the ledger that is restored has a chain elsewhere."""
    url = with_archive.ledger.client.connection.url
    settings = home.model_copy(update={"rpc_url": url})
    told = restore(settings, story.sources(chain=None, archive=story.archive))
    assert told.chain == "elsewhere" and told.log.batches >= len(story.batches)
    assert not (home.home / "chain").exists()


@pytest.mark.parametrize("name", ["ledger.db", "deployment.json", "chain/journal.jsonl", "manifest.json"])
def test_a_damaged_backup_is_refused_by_name(story: Story, home: Settings, tmp_path: Path, name: str) -> None:
    backup = copied(story.backup, tmp_path / "backup")
    raw = bytearray((backup / name).read_bytes())
    raw[len(raw) // 2] ^= 1
    (backup / name).write_bytes(raw)
    with pytest.raises(Misconfigured, match="BACKUP_DAMAGED") as refused:
        restore(home, Sources(backup, story.keys))
    assert refused.value.where == str(backup / name)
    assert not home.home.exists() and not list(tmp_path.glob(".*draft"))


def test_damaged_keys_are_refused_by_name_and_keys_of_another_ledger_too(
    story: Story, home: Settings, tmp_path: Path
) -> None:
    keys = copied(story.keys, tmp_path / "keys")
    told = json.loads((keys / "manifest.json").read_text())
    (keys / "keys" / "lookup.key").unlink()
    with pytest.raises(Misconfigured, match=r"BACKUP_DAMAGED.*lookup\.key is missing"):
        restore(home, Sources(story.backup, keys))
    from ledger.installation.recovery.manifests import MANIFEST, Manifest

    (keys / MANIFEST).unlink()
    Manifest.of(keys, told["format"], told["id"], "cd" * 32, told["made_at"]).write(keys)
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
def test_an_archive_that_cannot_be_read_is_named(
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


def test_a_batch_that_is_damaged_in_the_archive_is_lost_and_the_others_come_back(
    story: Story, home: Settings, tmp_path: Path
) -> None:
    archive = copied(story.archive, tmp_path / "archive")
    bad = story.batches_then + 10
    (file,) = archive.glob("*.db")
    engine = open_engine(f"sqlite:///{file}")
    with Database(engine).write() as session:
        session.connection().execute(update(Entry).where(Entry.batch == bad).values(body=b"{}"))
    engine.dispose()
    told = restore(home, story.sources(archive=archive))
    assert told.merged.damaged == (bad,) and [each.batch for each in told.log.lost] == [bad]


def test_a_certificate_without_its_row_in_the_archive_is_named_as_lost(
    story: Story, home: Settings, tmp_path: Path
) -> None:
    archive, number = copied(story.archive, tmp_path / "archive"), story.late[3]
    (file,) = archive.glob("*.db")
    with closing(sqlite3.connect(file)) as connection:
        query = "SELECT batch FROM entry WHERE digest = (SELECT digest FROM certificate WHERE certificate_no = ?)"
        (bad,) = connection.execute(query, [number]).fetchone()
        assert connection.execute("DELETE FROM certificate WHERE certificate_no = ?", [number]).rowcount == 1
        connection.commit()
    told = restore(home, story.sources(archive=archive))
    assert told.merged.damaged == (bad,) and [each.batch for each in told.log.lost] == [bad]


def test_texts_that_are_damaged_in_the_archive_do_not_replace_those_of_the_backup(
    story: Story, home: Settings, tmp_path: Path
) -> None:
    archive = copied(story.archive, tmp_path / "archive")
    (file,) = archive.glob("*.db")
    with closing(sqlite3.connect(story.backup / "ledger.db")) as backup:
        texts = dict(backup.execute("SELECT id, ciphertext FROM sealed WHERE wrapped_key IS NOT NULL").fetchall())
    query = "SELECT certificate_no, sealed_id FROM certificate"
    with closing(sqlite3.connect(file)) as connection:
        records = dict(connection.execute(query).fetchall())
        first, later = records[story.early], records[story.late[0]]
        party = "SELECT p.sealed_id FROM party p JOIN certificate c ON c.subject = p.id WHERE certificate_no = ?"
        (name,) = connection.execute(party, [story.late[5]]).fetchone()
        connection.execute("UPDATE sealed SET wrapped_key = NULL, ciphertext = x'' WHERE id = ?", [first])
        for record in (name, later):
            connection.execute("UPDATE sealed SET ciphertext = zeroblob(length(ciphertext)) WHERE id = ?", [record])
        connection.commit()
    assert first in texts and name in texts and later not in texts
    told = restore(home, story.sources(archive=archive))
    assert told.texts_damaged == sorted([first, name, later]) and (told.erased, told.closed) == (1, 1)
    with closing(sqlite3.connect(home.database.removeprefix("sqlite:///"))) as connection:
        after = dict(connection.execute("SELECT id, ciphertext FROM sealed").fetchall())
    assert [after[each] for each in (first, name)] == [texts[first], texts[name]]
    assert after[records[story.erased]] == b""
    with reopened(home, story.pilot) as pilot:
        with pytest.raises(Conflict, match="SEALED_CLOSED"):
            pilot.ledger.bundles.build(story.early)
        ledger = pilot.ledger
        assert ClosedTexts(ledger.database, told.ledger, ledger.archiving).confirm(None) == (0, 1)
        assert ledger.bundles.build(story.early)
        with pytest.raises(NotFound, match="SEALED_ERASED"):
            ledger.bundles.build(story.erased)


def test_a_batch_that_the_chain_has_otherwise_is_refused(story: Story, home: Settings, tmp_path: Path) -> None:
    backup = copied(story.backup, tmp_path / "backup")
    with closing(sqlite3.connect(backup / "ledger.db")) as connection:
        connection.execute("UPDATE batch SET root = lower(hex(zeroblob(32))) WHERE number = 2")
        connection.commit()
    renewed(backup)
    with pytest.raises(Incoherent, match="LOG_FORKED"):
        restore(home, Sources(backup, story.keys, chain=story.chain))


def test_texts_without_their_key_are_named_before_anything_is_made(
    story: Story, home: Settings, tmp_path: Path
) -> None:
    """The keys were changed after the backup of the keys: the archive is under the new one."""
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
    told = restore(home, known)
    assert told.unheld == refused.value.details["texts"]
    with open_ledger(home) as ledger:
        assert ledger.bundles.build(story.early)
        with pytest.raises(Misconfigured, match="SEALING_KEY_MISSING"):
            ledger.bundles.build(story.late[0])
        assert ledger.verification.status(story.late[0])["state"] == "active"
    # Where the old key is destroyed, the archive has the texts of the backup under the new one.
    keys = copied(tmp_path / "keys-2", tmp_path / "keys-3")
    (keys / "keys" / "kek-1.key").unlink()
    renewed(keys)
    again = home.model_copy(update={"home": tmp_path / "again"})
    assert restore(again, Sources(late.backup, keys, late.archive, late.chain)).unheld == {}
    with open_ledger(again) as ledger:
        assert ledger.bundles.build(story.early) and ledger.bundles.build(story.late[0])


@pytest.mark.parametrize("archived", [False, True])
def test_an_operator_that_changed_its_key_after_the_backup_sends_by_the_new_one(
    story: Story, home: Settings, tmp_path: Path, archived: bool
) -> None:
    """The chain knows the account; the key is among the key files, and its record in the archive if there is one."""
    source = copied(story.folder, tmp_path / "story")
    settings = story.settings.model_copy(update={"home": source / "home", "archive": source / "archive"})
    with open_ledger(settings) as ledger:
        operator, (account,) = ledger.installation.operator, ledger.custody.create()
        ledger.party_keys.rotate(operator, ledger.custody.public_key(account))
        with ledger.database.read() as session:
            assert session.get_one(Party, operator).account == account
    with reopened(settings, story.pilot) as pilot:
        pilot._next = story.pilot._next
        late = pilot.certificate(pilot.firm())
        back_up(settings, tmp_path / "data", tmp_path / "keys")
    chain, archive = source / "home" / "chain", source / "archive"
    erasures = source / "archive" / "erased.jsonl"
    told = restore(home, Sources(source / "backup", tmp_path / "keys", archive if archived else None, chain, erasures))
    assert (told.log.lost == ()) is archived
    with reopened(home, story.pilot) as pilot:
        ledger = pilot.ledger
        ClosedTexts(ledger.database, told.ledger, ledger.archiving).confirm(None)
        with ledger.database.read() as session:
            assert session.get_one(Party, operator).account == account
            key = session.get_one(PartyKey, account)
        assert key.bound_at and key.party_id == operator
        if archived:
            assert valid(pilot, ledger.bundles.build(late).to_bytes())
        pilot._next = story.pilot._next
        assert pilot.certificate(pilot.firm())


def test_a_home_that_holds_something_is_left_alone(story: Story, home: Settings) -> None:
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
def test_what_is_broken_off_leaves_nothing(
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
def test_what_a_power_cut_leaves_is_no_ledger_and_the_next_try_works(
    story: Story, home: Settings, tmp_path: Path, step: str
) -> None:
    chain = copied(story.chain, tmp_path / "chain")
    places = [str(each) for each in (home.home, story.backup, story.keys, story.archive, chain)]
    command = [sys.executable, "-c", KILLED, step, *places]
    killed = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=100, check=False)
    assert killed.returncode == -9, killed.stderr
    assert not home.home.exists()
    assert restore(home, story.sources(archive=story.archive)).log.lost == ()


# No secrets, and written anew whenever a ledger is open.
WRITTEN_IN_USE = ("node.log", "seen.json")


def test_drafts_with_keys_that_a_kill_left_are_named_by_the_next_restore_and_the_doctor(
    story: Story, home: Settings, tmp_path: Path
) -> None:
    with draft_of(tmp_path / "under-way"):
        places = tmp_path / "it's", story.backup, story.keys, story.archive, story.chain
        command = [sys.executable, "-c", KILLED, "_copy", *map(str, places)]
        done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=100, check=False)
        assert done.returncode == -9, done.stderr
        told = restore(home, story.sources())
        (left,) = tmp_path.glob(".it's.*.draft")
        (finding,) = told.drafts
        assert (finding.code, finding.where) == ("DRAFT_LEFT", str(left))
        assert {"private keys", "keys of the offices", "the database"} <= set(finding.details["holds"])
        (files, *_) = Doctor(home).examine()
        assert files.findings == (finding,)
    subprocess.run(["sh", "-c", str(finding.hint).partition(": ")[2]], timeout=30, check=True)
    (files, *_) = Doctor(home).examine()
    assert files.findings == () and not list(tmp_path.glob(".*draft"))


def test_a_restored_home_is_its_owners_alone(story: Story, with_archive: Opened) -> None:
    home = with_archive.ledger.settings.home
    for path in [home, *home.rglob("*")]:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert not mode & 0o077 or path.suffix == ".lock" or path.name in WRITTEN_IN_USE, path


def test_a_restored_ledger_is_backed_up_and_restored_again(story: Story, home: Settings, tmp_path: Path) -> None:
    """Lost batches stay lost, and known."""
    first = restore(home, story.sources(erasures=story.archive / "erased.jsonl"))
    back_up(home, tmp_path / "data", tmp_path / "keys")
    again = home.model_copy(update={"home": tmp_path / "again"})
    told = restore(again, Sources(tmp_path / "data", tmp_path / "keys", erasures=story.archive / "erased.jsonl"))
    assert told.log.lost == first.log.lost and told.log.batches == first.log.batches


def test_an_archive_brings_back_what_an_earlier_restore_called_lost(
    story: Story, home: Settings, tmp_path: Path
) -> None:
    restore(home, story.sources(erasures=story.archive / "erased.jsonl"))
    back_up(home, tmp_path / "data", tmp_path / "keys")
    again = home.model_copy(update={"home": tmp_path / "again"})
    told = restore(again, Sources(tmp_path / "data", tmp_path / "keys", archive=story.archive))
    assert told.log.lost == ()
    with open_ledger(again) as ledger:
        assert entries(ledger.database).items() >= story.entries.items()


def test_the_restored_ledger_goes_on_archiving_where_it_was(story: Story, with_archive: Opened) -> None:
    ledger = with_archive.ledger
    told = ledger.archiving.check()
    assert told is not None and told["ok"] and told["behind"] == 0
    issues(with_archive, story)
    after = ledger.archiving.check()
    assert after is not None and after["batches"] > told["batches"] and after["behind"] == 0


def test_no_table_is_forgotten(story: Story) -> None:
    """Every table comes back with the archive, only with the backup, or not at all; the guide says which."""
    from ledger.installation.recovery.closure import _NAMED_BY_DIGEST, _PARTS, DATED

    with_the_archive = {table.name for table in (*DATED, *_NAMED_BY_DIGEST)} | {
        column.table.name for columns in _PARTS.values() for column in columns
    }
    with_the_archive |= {"batch", "entry", "sealed", "counter", "presentation", "erasure"}
    gone = {each.__tablename__ for each in restoring._ACCESS}
    alone = {*restoring.FROM_THE_BACKUP_ALONE} - with_the_archive
    names = set(METADATA.tables)
    assert names == with_the_archive | gone | alone | {"ledger_identity"}, names ^ (
        with_the_archive | gone | alone | {"ledger_identity"}
    )


def test_registrations_come_back_with_their_documents(tmp_path: Path) -> None:
    """One confirmed, one rejected with its grounds: the chain has digests of what only the archive has."""
    settings = settings_of(tmp_path, archive=tmp_path / "archive")
    tables = (Resource, Registration, ActDocument, Application, Mandate)
    with founded(settings) as pilot:
        ledger = pilot.ledger
        back_up(settings, tmp_path / "data", tmp_path / "keys")
        confirmed, rejected = pilot.applied("power/2026", "water/2026")
        pilot.take_through([confirmed])
        ledger.review.accept(pilot.cast.registrar, [rejected])
        ledger.review.reject(pilot.cast.registrar, rejected, "Fields are missing")
        before, number = rows_of(ledger.database, *tables), ledger.registrations.get(confirmed)["certificate_no"]
        grounds = {digest: ledger.act_documents.read(digest) for digest in pilot.act_documents_of(rejected)}
        pilot.certificate(pilot.firm())
    home = Settings(home=tmp_path / "new", batch_age=0, batch_size=4, delay=0)
    chain, archive = tmp_path / "home" / "chain", tmp_path / "archive"
    told = restore(home, Sources(tmp_path / "data", tmp_path / "keys", archive, chain))
    assert told.log.lost == () and (told.parties_unknown, told.assets_unknown) == (0, 0)
    with reopened(home, pilot) as again:
        assert rows_of(again.ledger.database, *tables) == before and before["evidence"] and before["application"]
        assert again.report(confirmed).valid
        assert again.ledger.registrations.get(confirmed)["certificate_no"] == number
        assert (
            {digest: again.ledger.act_documents.read(digest) for digest in again.act_documents_of(rejected)}
            == grounds
            != {}
        )
    # Without the archive the chain is ahead by these assets, which is said.
    part = home.model_copy(update={"home": tmp_path / "part"})
    assert restore(part, Sources(tmp_path / "data", tmp_path / "keys", chain=chain)).assets_unknown == 2
