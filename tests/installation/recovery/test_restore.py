"""A ledger is restored from backup, archive and a newer chain: losses are listed, and no number is used twice."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select

from ledger.certificates.tables import Certificate
from ledger.domain.codes import check_certificate_no
from ledger.errors import NotFound
from ledger.installation.recovery import closure, restoring
from ledger.installation.recovery.backup import back_up
from ledger.installation.recovery.reclosing import ClosedTexts
from ledger.installation.recovery.restored_log import SERIES_GAP
from ledger.installation.recovery.restoring import Sources, restore
from ledger.installation.settings import Settings
from ledger.installation.tables import METADATA, names_from
from ledger.installation.wiring import open_ledger
from ledger.parties.access.tables import ApiKey, SignedIn
from ledger.parties.tables import Mandate, Party, PartyKey
from ledger.registration.tables import ActDocument, Application, Registration, Resource
from ledger.store.database import Database, open_engine
from ledger.store.tables import Counter, Entry, Source
from ledger.usage.tables import AccessRequest
from tests.installation.recovery.lost_disk import AHEAD, Opened, Story, coherent
from tests.support.ledgers.small_ledger import batches, copied, entries, founded, reopened, rows_of, settings_of, valid
from tests.support.places import PROJECT


def issues(opened: Opened, story: Story) -> str:
    """Issue, anchor and verify a certificate after the restore, and return its number."""
    pilot = opened.pilot
    pilot._next = story.pilot._next
    firm = pilot.firm()
    number = pilot.certificate(firm)
    assert pilot.accept(firm, number).valid
    return number


def test_a_restore_with_the_archive_restores_all_anchored_entries(story: Story, with_archive: Opened) -> None:
    ledger, restored = with_archive.ledger, with_archive.restored
    assert restored.log.lost == () and restored.merged.batches >= AHEAD and restored.merged.damaged == ()
    assert restored.chain == "given" and restored.closed == 0 and restored.erased == 1 and restored.unheld == {}
    assert (restored.parties_unknown, restored.assets_unknown) == (0, 0)
    here = batches(ledger.database)
    assert {number: here[number] for number in story.batches} == story.batches
    found = entries(ledger.database)
    assert {seq: found[seq] for seq in story.entries} == story.entries
    assert coherent(ledger)
    for number in (story.early, *story.late):
        bundle = ledger.certificates.bundles.build(number).to_bytes()
        state = "revoked" if number == story.late[1] else "active"
        assert ledger.verification.status(number)["state"] == state
        assert valid(with_archive.pilot, bundle) == (state == "active")
    assert ledger.inspection.head()["complete"]


def test_a_restore_with_the_archive_gives_database_rows_their_last_archived_state(
    with_archive: Opened, story: Story
) -> None:
    with with_archive.ledger.database.read() as session:
        for number in story.late:
            row = session.get_one(Certificate, number)
            assert session.get_one(AccessRequest, str(row.request_id)).state == "fulfilled"


def test_issuing_continues_after_a_restore_and_uses_no_number_twice(
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


def test_a_restore_without_an_archive_lists_the_numbers_of_the_lost_batches(
    story: Story, without_archive: Opened
) -> None:
    lost = without_archive.restored.log.lost
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
    # A certificate anchored before the loss can still be verified from its holder's bundle and the chain.
    assert valid(without_archive.pilot, story.bundles[story.late[0]])


def test_every_series_of_numbers_skips_numbers_that_may_already_be_used(story: Story, without_archive: Opened) -> None:
    restored, ledger = without_archive.restored, without_archive.ledger
    assert restored.skipped >= max(SERIES_GAP, sum(each.missing for each in restored.log.lost))
    with closing(sqlite3.connect(story.backup / "ledger.db")) as connection:
        before = dict(connection.execute("SELECT name, value FROM counter"))
    with ledger.database.read() as session:
        after: dict[str, int] = dict(session.execute(select(Counter.name, Counter.value)).all())
    series = [name for name in after if name.startswith(("certificate/", "registration/"))]
    assert {name.split("/")[1] for name in series if name.startswith("certificate/")} >= {"440800", "440825", "440883"}
    for name in series:
        assert after[name] >= before.get(name, 0) + restored.skipped, name


def test_an_entry_that_waited_at_the_time_of_the_backup_is_not_anchored_twice(
    story: Story, without_archive: Opened
) -> None:
    with closing(sqlite3.connect(story.backup / "ledger.db")) as connection:
        waiting = [seq for (seq,) in connection.execute("SELECT seq FROM entry WHERE batch IS NULL")]
    with without_archive.ledger.database.read() as session:
        where = dict(session.execute(select(Entry.seq, Entry.batch).where(Entry.seq.in_(waiting))).all())
        assert len(where) == len(waiting) >= 2 and None not in where.values()
        digests = session.scalars(select(Entry.digest)).all()
    assert len(digests) == len(set(digests))


def test_parties_are_restored_and_sessions_are_not(story: Story, with_archive: Opened) -> None:
    ours = rows_of(Database(open_engine(f"sqlite:///{story.folder / 'home' / 'ledger.db'}")), Party, PartyKey)
    assert rows_of(with_archive.ledger.database, Party, PartyKey) == ours
    with with_archive.ledger.database.read() as session:
        assert session.scalars(select(SignedIn)).all() == session.scalars(select(ApiKey)).all() == []


@pytest.mark.parametrize("archived", [False, True])
def test_an_operator_that_changed_its_key_after_the_backup_sends_transactions_with_the_new_key(
    story: Story, home: Settings, tmp_path: Path, archived: bool
) -> None:
    """The chain and the key files contain the operator's new account. The archive contains the account's database row
    in one case of this test, but not in the other case.
    """
    source = copied(story.folder, tmp_path / "story")
    settings = story.settings.model_copy(update={"home": source / "home", "archive": source / "archive"})
    with open_ledger(settings) as ledger:
        operator, (account,) = ledger.installation.operator, ledger.custody.create()
        ledger.parties.keys.rotate(ledger.actor(operator), operator, ledger.custody.public_key(account))
        with ledger.database.read() as session:
            assert session.get_one(Party, operator).account == account
    with reopened(settings, story.pilot) as pilot:
        pilot._next = story.pilot._next
        late = pilot.certificate(pilot.firm())
        back_up(settings, tmp_path / "data", tmp_path / "keys")
    chain, archive = source / "home" / "chain", source / "archive"
    erasures = source / "archive" / "erased.jsonl"
    restored = restore(
        home, Sources(source / "backup", tmp_path / "keys", archive if archived else None, chain, erasures)
    )
    assert (restored.log.lost == ()) is archived
    with reopened(home, story.pilot) as pilot:
        ledger = pilot.ledger
        ClosedTexts(ledger.database, restored.ledger, ledger.archiving).confirm(None)
        with ledger.database.read() as session:
            assert session.get_one(Party, operator).account == account
            key = session.get_one(PartyKey, account)
        assert key.bound_at and key.party_id == operator
        if archived:
            assert valid(pilot, ledger.certificates.bundles.build(late).to_bytes())
        pilot._next = story.pilot._next
        assert pilot.certificate(pilot.firm())


def test_a_restored_ledger_can_be_backed_up_and_restored(story: Story, home: Settings, tmp_path: Path) -> None:
    """The restored ledger is backed up and restored again. Batches that the first restore listed as lost are still
    listed.
    """
    first = restore(home, story.sources(erasures=story.archive / "erased.jsonl"))
    back_up(home, tmp_path / "data", tmp_path / "keys")
    again = home.model_copy(update={"home": tmp_path / "again"})
    restored = restore(again, Sources(tmp_path / "data", tmp_path / "keys", erasures=story.archive / "erased.jsonl"))
    assert restored.log.lost == first.log.lost and restored.log.batches == first.log.batches


def test_an_archive_restores_batches_that_an_earlier_restore_listed_as_lost(
    story: Story, home: Settings, tmp_path: Path
) -> None:
    restore(home, story.sources(erasures=story.archive / "erased.jsonl"))
    back_up(home, tmp_path / "data", tmp_path / "keys")
    again = home.model_copy(update={"home": tmp_path / "again"})
    restored = restore(again, Sources(tmp_path / "data", tmp_path / "keys", archive=story.archive))
    assert restored.log.lost == ()
    with open_ledger(again) as ledger:
        assert entries(ledger.database).items() >= story.entries.items()


def test_a_restored_ledger_continues_to_write_to_the_archive(story: Story, with_archive: Opened) -> None:
    ledger = with_archive.ledger
    state = ledger.archiving.check()
    assert state is not None and state["ok"] and state["behind"] == 0
    issues(with_archive, story)
    after = ledger.archiving.check()
    assert after is not None and after["batches"] > state["batches"] and after["behind"] == 0


@pytest.mark.parametrize(
    ("guide", "words"),
    [
        ("operating.md", ("The archive holds rows of these tables:", "A restore empties:", "All other tables")),
        ("operating.zh.md", ("归档有这些表的行：", "恢复时清空：", "其他的表")),
    ],
)
def test_the_guide_says_which_tables_the_archive_restores_and_which_a_restore_empties(
    guide: str, words: tuple[str, str, str]
) -> None:
    """The guide lists the tables that the archive restores, and the tables that a restore empties.
    ``FROM_THE_BACKUP_ALONE`` in the code lists all other tables.
    """
    text = (PROJECT / "docs" / "guides" / guide).read_text("utf-8")
    first, second, end = (text.index(each) for each in words)
    archived, emptied = (set(re.findall(r"`(\w+)`", part)) for part in (text[first:second], text[second:end]))
    assert archived == {*names_from(Source.DATED), *names_from(Source.ENTRIES)}
    assert emptied == set(names_from(Source.NOWHERE))
    assert METADATA.tables.keys() - archived - emptied == set(restoring.FROM_THE_BACKUP_ALONE)


def test_the_tables_declared_as_archived_are_the_tables_that_the_archive_selects() -> None:
    """The source ``ENTRIES`` is declared for three groups of tables and for no others: tables whose rows the archive
    selects by an entry's digest, the tables of the log, and some tables whose rows are parts of selected rows.
    """
    by_digest = {table.name for table in closure._NAMED_BY_DIGEST}
    parts = {column.table.name for columns in closure._PARTS.values() for column in columns}
    log = {"batch", "entry", "sealed", "counter", "presentation", "ledger_identity"}
    assert by_digest | log <= set(names_from(Source.ENTRIES)) <= by_digest | log | parts
    assert not parts & set(names_from(Source.NOWHERE))
    for table in closure.DATED:
        assert len(table.primary_key) == 1 and "created_at" in table.c, table.name


def test_registrations_are_restored_with_their_documents(tmp_path: Path) -> None:
    """One registration is confirmed and one rejected; the chain holds only digests of the archived documents."""
    settings = settings_of(tmp_path, archive=tmp_path / "archive")
    tables = (Resource, Registration, ActDocument, Application, Mandate)
    with founded(settings) as pilot:
        ledger = pilot.ledger
        back_up(settings, tmp_path / "data", tmp_path / "keys")
        confirmed, rejected = pilot.applied("power/2026", "water/2026")
        pilot.take_through([confirmed])
        ledger.registration.review.accept(ledger.actor(pilot.cast.registrar), [rejected])
        ledger.registration.review.reject(ledger.actor(pilot.cast.registrar), rejected, "Fields are missing")
        before, number = (
            rows_of(ledger.database, *tables),
            ledger.registration.registrations.get(confirmed)["certificate_no"],
        )
        grounds = {
            digest: ledger.registration.act_documents.read(digest) for digest in pilot.act_documents_of(rejected)
        }
        pilot.certificate(pilot.firm())
    home = Settings(home=tmp_path / "new", batch_age=0, batch_size=4, delay=0)
    chain, archive = tmp_path / "home" / "chain", tmp_path / "archive"
    restored = restore(home, Sources(tmp_path / "data", tmp_path / "keys", archive, chain))
    assert restored.log.lost == () and (restored.parties_unknown, restored.assets_unknown) == (0, 0)
    with reopened(home, pilot) as again:
        assert rows_of(again.ledger.database, *tables) == before and before["evidence"] and before["application"]
        assert again.report(confirmed).valid
        assert again.ledger.registration.registrations.get(confirmed)["certificate_no"] == number
        assert (
            {
                digest: again.ledger.registration.act_documents.read(digest)
                for digest in again.act_documents_of(rejected)
            }
            == grounds
            != {}
        )
    # There is no archive here, so two assets are known only from the chain. The result of the restore counts such
    # assets.
    part = home.model_copy(update={"home": tmp_path / "part"})
    assert restore(part, Sources(tmp_path / "data", tmp_path / "keys", chain=chain)).assets_unknown == 2
