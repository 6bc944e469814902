"""Every batch is archived before it is anchored, and erased texts are also erased in the archive."""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, update

from ledger.certificates.tables import Certificate
from ledger.domain.parties import Role
from ledger.errors import Conflict, Misconfigured, NotFound
from ledger.installation.recovery.archive import Archive
from ledger.installation.recovery.archiving import Archiving, archive_file
from ledger.parties.roles import Actor
from ledger.parties.tables import Party, PartyKey
from ledger.privacy.erasures_file import ErasuresFile
from ledger.store import log as log_store
from ledger.store.database import Database, open_engine
from ledger.store.migrations import upgrade
from ledger.store.tables import Batch, Counter, Entry, Sealed
from ledger.usage.tables import AccessRequest, Authorization, Provision, SeenClaim
from tests.support.actors.erasing import text_of
from tests.support.actors.pilots import Pilot
from tests.support.ledgers.small_ledger import archive_of, batches, counting, entries, founded, rows_of, settings_of

LEDGER = "ab" * 32


@pytest.fixture(scope="module")
def pilot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pilot]:
    folder = tmp_path_factory.mktemp("archived")
    with founded(settings_of(folder, archive=folder / "archive")) as pilot:
        pilot.certificate(pilot.firm())
        yield pilot


def folder_of(pilot: Pilot) -> Path:
    found = pilot.ledger.settings.archive
    assert found is not None
    return found


def archived(pilot: Pilot) -> Database:
    return Database(open_engine(f"sqlite:///{archive_of(pilot.ledger, folder_of(pilot)).file}"))


def opened(database: Database, pilot: Pilot, record: str) -> object:
    with database.read() as session:
        return pilot.ledger.sealer.open(session, record)


def subject(party: str) -> Actor:
    return Actor(party, frozenset({Role.SUBJECT}))


def issued(pilot: Pilot) -> str:
    """Issue a certificate that is not anchored yet, and return its number."""
    firm = pilot.firm()
    authorization = pilot.authorise(firm)
    pilot.supply(firm, authorization)
    return pilot.actors.issue({firm: authorization})[firm]


def test_every_anchored_entry_is_archived_with_the_database_rows_it_refers_to(pilot: Pilot) -> None:
    number = pilot.certificate(pilot.firm())
    here, there = pilot.ledger.database, archived(pilot)
    assert batches(there) == batches(here) and entries(there) == entries(here)
    text = text_of(pilot.ledger, number)
    named = (AccessRequest, Authorization, Provision, Certificate, SeenClaim, Sealed, Party, PartyKey, Counter)
    ours, kept = rows_of(here, *named), rows_of(there, *named)
    for table in ("authorization", "provision", "seen_claim", "sealed", "party_key", "counter"):
        assert kept[table] == ours[table], table
    with there.read() as session:
        certificate = session.get_one(Certificate, number)
        assert session.get_one(AccessRequest, str(certificate.request_id)).state == "fulfilled"
    assert opened(there, pilot, text) == opened(here, pilot, text)


def test_a_batch_is_archived_before_it_is_anchored(pilot: Pilot, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger, seen = pilot.ledger, list[bool]()
    client, send = ledger.anchoring._client, ledger.anchoring._client.send

    def looking(call: object) -> object:
        newest = max(batches(ledger.database))
        seen.append(batches(archived(pilot)).get(newest) is not None and ledger.reader.batch_count(2) <= newest)
        return send(call)  # type: ignore[arg-type]

    monkeypatch.setattr(type(client), "send", lambda _, call: looking(call))
    issued(pilot)
    ledger.anchoring.flush()
    assert seen and all(seen)


def test_the_number_of_sql_statements_for_archiving_a_batch_does_not_grow_with_its_entries(tmp_path: Path) -> None:
    """Batches of 16 and of 1,024 entries need the same number of SQL statements: each statement handles many rows."""
    engine = open_engine(f"sqlite:///{tmp_path / 'main.db'}")
    upgrade(engine)
    database, sizes = Database(engine), (16, 1_024)
    sent = {}
    for number, size in enumerate(sizes):
        with database.write() as session:
            result = [{"type": "template", "v": 2, "n": f"{number}/{place}"} for place in range(size)]
            log_store.append(session, [log_store.NewEntry.stored(json.dumps(each).encode()) for each in result], number)
            log_store.close_batch(session, size, number)
        archive = Archive(tmp_path / f"{number}.db")
        archive.prepare(LEDGER, 0)
        with counting(engine, archive._engine) as statements:
            archive.keep(database, [number])
        sent[size] = len(statements)
        assert archive.extent().entries == size
    engine.dispose()
    assert sent[16] == sent[1_024] <= 60


def test_archiving_a_batch_of_certificates_needs_few_sql_statements(pilot: Pilot) -> None:
    ledger = pilot.ledger
    number = max(batches(ledger.database))
    archive = archive_of(ledger, folder_of(pilot))
    with counting(ledger.database.engine, archive._engine) as statements:
        archive.keep(ledger.database, [number])
    assert 0 < len(statements) <= 100


@pytest.mark.parametrize(("missing", "code"), [("folder", "ARCHIVE_MISSING"), ("file", "ARCHIVE_MISSING")])
def test_a_missing_archive_stops_anchoring_and_nothing_else(pilot: Pilot, missing: str, code: str) -> None:
    ledger, folder = pilot.ledger, folder_of(pilot)
    ledger.anchoring.flush()
    anchored = ledger.reader.batch_count(2)
    path = folder if missing == "folder" else archive_of(ledger, folder).file
    away = path.with_name("unmounted")
    path.rename(away)
    try:
        number = issued(pilot)
        with pytest.raises(Misconfigured, match=code):
            ledger.anchoring.flush()
        assert not path.exists(), "an empty archive was created in place of an unmounted disk"
        assert ledger.archiving.check() == {"ok": False, "folder": str(folder), "code": code}
        assert ledger.reader.batch_count(2) == anchored
        assert ledger.verification.status(number)["state"] == "building"
    finally:
        away.rename(path)
    ledger.anchoring.flush()
    assert ledger.verification.status(number)["state"] == "active"
    assert batches(archived(pilot)) == batches(ledger.database)


def test_a_new_archive_gets_all_earlier_batches(pilot: Pilot, tmp_path: Path) -> None:
    """The archive's folder is set when earlier batches exist already. When the next batch is archived, the archive gets
    the earlier batches too.
    """
    ledger = pilot.ledger
    ledger.anchoring.flush()
    settings = ledger.settings.model_copy(update={"archive": tmp_path / "new", "home": tmp_path})
    archiving = Archiving(settings, ledger.database, ledger.reader.chain.ledger, ledger.clock)
    with ledger.database.read() as session:
        newest = log_store.batch(session, max(batches(ledger.database)))
    archiving(newest)
    result = archiving.check()
    assert result is not None and result["ok"] and result["behind"] == 0
    there = Database(open_engine(f"sqlite:///{archive_file(tmp_path / 'new', ledger.reader.chain.ledger)}"))
    assert batches(there) == batches(ledger.database) and entries(there) == entries(ledger.database)
    assert rows_of(there, Party, PartyKey) == rows_of(ledger.database, Party, PartyKey)


def test_a_new_archive_is_reported_as_behind_until_the_next_anchoring_fills_it(pilot: Pilot, tmp_path: Path) -> None:
    ledger = pilot.ledger
    ledger.anchoring.flush()
    settings = ledger.settings.model_copy(update={"archive": tmp_path / "new", "home": tmp_path})
    archiving = Archiving(settings, ledger.database, ledger.reader.chain.ledger, ledger.clock)
    before = archiving.check()
    assert before is not None and before["behind"] == len(batches(ledger.database)) > 0
    assert (before["ok"], before["code"]) == (False, "ARCHIVE_BEHIND")
    # `log anchor` and the service also call the archive without a batch (None) when there is no new batch.
    archiving(None)
    after = archiving.check()
    assert after is not None and (after["ok"], after["behind"], after["batches"]) == (True, 0, before["behind"])
    assert "code" not in after


def test_a_ledger_opened_without_the_archive_variable_still_uses_the_archive(pilot: Pilot) -> None:
    ledger = pilot.ledger
    settings = ledger.settings.model_copy(update={"archive": None})
    result = Archiving(settings, ledger.database, ledger.reader.chain.ledger, ledger.clock).check()
    assert result is not None and result["folder"] == str(folder_of(pilot))


def test_the_archive_of_another_ledger_is_refused(pilot: Pilot, tmp_path: Path) -> None:
    ledger, digest = pilot.ledger, "cd" * 32
    ledger.anchoring.flush()
    (tmp_path / "archive").mkdir()
    shutil.copy(archive_of(ledger, folder_of(pilot)).file, archive_file(tmp_path / "archive", digest))
    settings = ledger.settings.model_copy(update={"archive": tmp_path / "archive", "home": tmp_path})
    with pytest.raises(Misconfigured, match="ARCHIVE_DIFFERS"):
        Archiving(settings, ledger.database, digest, ledger.clock).require()


def test_archiving_does_not_overwrite_a_different_batch_with_the_same_number(pilot: Pilot) -> None:
    ledger = pilot.ledger
    ledger.anchoring.flush()
    newest, there = max(batches(ledger.database)), archived(pilot)
    before = batches(there)[newest]
    with there.write() as session:
        session.execute(update(Batch).where(Batch.number == newest).values(root="00" * 32))
    with ledger.database.read() as session:
        batch = log_store.batch(session, newest)
    with pytest.raises(Conflict, match=f"ARCHIVE_FORKED.*batch {newest}"):
        ledger.archiving(batch)
    with there.write() as session:
        session.execute(update(Batch).where(Batch.number == newest).values(root=before[2]))
    ledger.archiving(batch)


def test_an_erasure_erases_the_archived_text_and_is_added_to_the_list_of_erasures(pilot: Pilot) -> None:
    ledger, firm = pilot.ledger, pilot.firm()
    number = pilot.certificate(firm)
    party = pilot.actors.cast.firms[firm]
    with ledger.database.read() as session:
        row = session.get_one(Certificate, number)
    record = text_of(ledger, number)
    assert opened(archived(pilot), pilot, record)
    erased = ledger.erasure.certificate(subject(party), number, "subject_request")
    assert erased.archived and ledger.erasure.scrub(erased)
    with pytest.raises(NotFound, match="SEALED_ERASED"):
        opened(archived(pilot), pilot, record)
    listed = ErasuresFile(folder_of(pilot) / "erased.jsonl", ledger.reader.chain.ledger).read()
    assert record in listed[-1].sealed and row.digest in listed[-1].targets and listed[-1].party is None
    # Archiving the batch that records the erasure does not bring the erased text back.
    ledger.anchoring.flush()
    with pytest.raises(NotFound, match="SEALED_ERASED"):
        opened(archived(pilot), pilot, record)


def test_an_erasure_is_refused_if_the_list_of_erasures_cannot_be_written(pilot: Pilot) -> None:
    ledger, firm = pilot.ledger, pilot.firm()
    number, folder = pilot.certificate(firm), folder_of(pilot)
    party, away = pilot.actors.cast.firms[firm], folder.with_name("unmounted")
    folder.rename(away)
    try:
        with pytest.raises(Misconfigured, match="ARCHIVE_MISSING"):
            ledger.erasure.certificate(subject(party), number, "subject_request")
    finally:
        away.rename(folder)
    assert ledger.certificates.bundles.build(number)
    assert ledger.erasure.certificate(subject(party), number, "subject_request").archived


def test_a_text_in_an_unreachable_archive_is_erased_when_the_batch_of_the_erasure_is_archived(
    pilot: Pilot, tmp_path: Path
) -> None:
    """The list of erasures is stored outside the archive, so a text can be erased even while the archive is
    unreachable.
    """
    ledger, firm = pilot.ledger, pilot.firm()
    number, folder = pilot.certificate(firm), folder_of(pilot)
    party, away = pilot.actors.cast.firms[firm], folder.with_name("unmounted")
    record = text_of(ledger, number)
    with pilot.under(erasures=tmp_path / "list.jsonl") as other:
        folder.rename(away)
        try:
            erased = other.ledger.erasure.certificate(subject(party), number, "subject_request")
        finally:
            away.rename(folder)
        assert not erased.archived and not other.ledger.erasure.scrub(erased)
        assert opened(archived(pilot), pilot, record)
        other.ledger.anchoring.flush()
    with pytest.raises(NotFound, match="SEALED_ERASED"):
        opened(archived(pilot), pilot, record)


def test_a_key_rotation_rewraps_the_keys_in_the_archive_or_is_refused(pilot: Pilot) -> None:
    ledger, folder = pilot.ledger, folder_of(pilot)
    pilot.certificate(pilot.firm())
    away = folder.with_name("unmounted")
    folder.rename(away)
    with pytest.raises(Misconfigured, match="ARCHIVE_MISSING"):
        ledger.key_rotation.begin()
    away.rename(folder)
    before = ledger.key_rotation.status()
    ledger.key_rotation.begin()
    ledger.key_rotation.run(lambda _: None)
    after = ledger.key_rotation.status()
    assert after.current != before.current and set(after.by_key) == {after.current}
    assert after.archived is not None and set(after.archived) == {after.current}
    assert rows_of(archived(pilot), Sealed) == rows_of(ledger.database, Sealed)


def test_the_journal_of_a_local_chain_is_archived(pilot: Pilot) -> None:
    """Each anchoring turn archives the chain's journal, because acts such as a revocation are recorded only in the
    journal.
    """
    ledger = pilot.ledger
    number = pilot.certificate(pilot.firm())
    journal = ledger.settings.home / "chain" / "journal.jsonl"
    (kept,) = folder_of(pilot).glob("*.chain/journal.jsonl")
    ledger.certificates.status.revoke(number, "data_error")
    ledger.anchoring.tick()
    assert kept.read_bytes() == journal.read_bytes()
    # The archive's copy of the journal is written again if the copy was cut off, changed, or replaced by another
    # chain's journal.
    whole = journal.read_bytes()
    for damaged in (whole[:-7], whole[:-1], b"x" * len(whole), whole + b"more\n", b""):
        kept.write_bytes(damaged)
        ledger.anchoring.tick()
        assert kept.read_bytes() == whole
    assert (kept.parent / "clock.json").read_bytes() == (journal.parent / "clock.json").read_bytes()


def test_only_the_owner_can_read_the_files_of_the_archive(pilot: Pilot) -> None:
    folder = folder_of(pilot)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for path in folder.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_archive_and_database_have_the_same_entries(pilot: Pilot) -> None:
    ledger = pilot.ledger
    ledger.anchoring.flush()
    with ledger.database.read() as session:
        ours = session.execute(select(Entry.seq, Entry.leaf, Entry.digest).where(Entry.batch.is_not(None))).all()
    with archived(pilot).read() as session:
        theirs = session.execute(select(Entry.seq, Entry.leaf, Entry.digest)).all()
    assert sorted(ours) == sorted(theirs) and len(ours) > 20
