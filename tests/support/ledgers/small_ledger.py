"""A small ledger for tests of archive, backup and restore: a few firms and certificates, and small batches."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import event, select

from ledger.demo.data.cast import assemble
from ledger.domain.entry_forms import REGISTRATION_SCENARIO
from ledger.installation.recovery.archive import Archive
from ledger.installation.recovery.archiving import archive_file
from ledger.installation.settings import Settings
from ledger.installation.tables import METADATA
from ledger.installation.wiring import Ledger, create_ledger, open_ledger
from ledger.proof.bundle import parse_bundle
from ledger.proof.jws import Signer
from ledger.proof.presenting import present
from ledger.proof.sdjwt import parse_certificate
from ledger.proof.verifier import Expectation
from ledger.store.database import Database
from ledger.store.tables import Base, Batch, Entry
from tests.support.actors.credit_bureau import SCENARIO
from tests.support.actors.pilots import Pilot

FIRMS = [str(number) for number in range(1, 61)]


def settings_of(folder: Path, **others: Any) -> Settings:
    """Return settings for a ledger in ``folder/home``; batches close at once and have at most four entries."""
    settings: dict[str, Any] = {"home": folder / "home", "delay": 0, "batch_age": 0, "batch_size": 4}
    return Settings(**settings | others)


@contextmanager
def founded(settings: Settings) -> Iterator[Pilot]:
    """Create a ledger with its institutions and firms."""
    with create_ledger(settings) as ledger:
        cast = assemble(ledger, FIRMS)
        now = ledger.clock()
        ledger.parties.role_changes.accredit(
            ledger.authority, ledger.installation.operator, (SCENARIO, REGISTRATION_SCENARIO), now - 86_400, now + 10**9
        )
        yield Pilot(ledger, cast)


@contextmanager
def reopened(settings: Settings, pilot: Pilot) -> Iterator[Pilot]:
    """Open the ledger again, and yield a pilot with the parties of ``pilot``."""
    with open_ledger(settings) as ledger:
        yield Pilot(ledger, pilot.cast)


def archive_of(ledger: Ledger, folder: Path) -> Archive:
    return Archive(archive_file(folder, ledger.reader.chain.ledger))


def batches(database: Database) -> dict[int, tuple[int, int, str]]:
    """Return a map from each batch's number to its first entry, size and root."""
    with database.read() as session:
        return {row.number: (row.first_seq, row.size, row.root) for row in session.scalars(select(Batch))}


def entries(database: Database) -> dict[int, bytes]:
    """Return a map from entry number to body, for all entries that are in a batch."""
    with database.read() as session:
        found = session.scalars(select(Entry).where(Entry.batch.is_not(None)))
        return {row.seq: row.body for row in found}


def rows_of(database: Database, *tables: type[Base]) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of the given tables, sorted by key."""
    with database.read() as session:
        return {
            each.__tablename__: [
                tuple(row) for row in session.execute(select(table).order_by(*table.primary_key.columns))
            ]
            for each in tables
            for table in [METADATA.tables[each.__tablename__]]
        }


@contextmanager
def counting(*engines: Any) -> Iterator[list[str]]:
    """Collect the SQL statements that the given engines send during the block."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_others: Any) -> None:
        sent.append(statement)

    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", note)


def copied(folder: Path, to: Path) -> Path:
    """Copy a folder with all files as they are on the disk now."""
    shutil.copytree(folder, to)
    return to


def valid(pilot: Pilot, raw: bytes, holder: Signer | None = None) -> bool:
    """Present a bundle to the bank, which does not use the certificate. Return whether the bank finds the presentation
    valid.

    ``holder`` signs the presentation. Without ``holder``, it is signed with the key that the installation keeps for the
    certificate's subject.
    """
    ledger, bank = pilot.ledger, pilot.cast.bank
    bundle, nonce = parse_bundle(raw), ledger.verification.new_nonce()
    signer = holder or pilot.actors.signer_of(parse_certificate(bundle.certificate).claims["sub"])
    shown = present(bundle, None, consumer=bank, nonce=nonce, holder=signer, at=ledger.clock())
    return ledger.verification.verify(shown.to_bytes(), Expectation(consumer=bank, nonce=nonce)).report.valid
