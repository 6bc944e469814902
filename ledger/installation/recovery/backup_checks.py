"""Check a copy of a ledger: pages, entries, batches, sealed texts and the keys that open them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.errors import Misconfigured, PingzhengError
from ledger.parties.custody import signer_of_key
from ledger.store.entry_audit import audit
from ledger.store.sealing import CLOSED, KeyProvider, Sealer, wrapped_by
from ledger.store.tables import Sealed


def check_pages(file: Path) -> None:
    """Raise ``Misconfigured`` ``DATABASE_DAMAGED`` unless the SQLite file and its foreign keys are intact."""
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            found = [row[0] for row in connection.execute("PRAGMA integrity_check(1)")]
            dangling = connection.execute("PRAGMA foreign_key_check").fetchone()
    except sqlite3.DatabaseError as error:
        raise _damaged(file, "its pages cannot be read") from error
    if found != ["ok"]:
        raise _damaged(file, "its pages are inconsistent")
    if dangling is not None:
        raise _damaged(file, f"a row of {dangling[0]} refers to a row of {dangling[2]} that is missing")


def check_log(session: Session) -> None:
    """Check every entry against its leaf and every batch against its root.

    Raises ``Incoherent`` ``ENTRY_DAMAGED``, ``BATCH_DAMAGED`` or ``ENTRIES_MISSING`` for the first problem found.
    """
    if (finding := next(audit(session), None)) is not None:
        raise finding.refusal()


def check_keys(session: Session, keys: KeyProvider) -> dict[str, int]:
    """For each wrapping key, decrypt the newest text that needs the key. Return for each key id the number of texts.
    Raises ``Misconfigured`` ``SEALING_KEY_MISSING``, ``SEALING_KEY_WRONG`` or ``SEALED_DAMAGED``.
    """
    for key_id, record in _newest_of_each(session):
        Sealer(keys).open_with(session, record, key_id)
    return wrapped_by(session)


def unheld_keys(session: Session, keys: KeyProvider) -> dict[str, int]:
    """Return for each missing or wrong wrapping key (by id) the number of texts that need the key."""
    counts, unheld = wrapped_by(session), dict[str, int]()
    for key_id, record in _newest_of_each(session):
        try:
            Sealer(keys).open_with(session, record, key_id)
        except PingzhengError:
            unheld[key_id] = counts[key_id]
    return unheld


def check_accounts(file: Path) -> int:
    """Check that each private key in a custody file belongs to its account, and return the number of keys.
    Raises ``Misconfigured`` ``KEY_FILE_DAMAGED``.
    """
    try:
        accounts: Mapping[str, str] = json.loads(file.read_bytes())
        if all(signer_of_key(key).kid == account for account, key in accounts.items()):
            return len(accounts)
    except (ValueError, TypeError, AttributeError, PingzhengError):
        pass
    raise Misconfigured(
        "KEY_FILE_DAMAGED",
        "A private key in the file does not belong to its account.",
        where=str(file),
        hint="Restore the file from an older backup.",
    )


def _newest_of_each(session: Session) -> Iterator[tuple[str, str]]:
    """Yield the id of each wrapping key with the id of the newest record whose data key it wraps."""
    for key_id in wrapped_by(session):
        newest = select(Sealed.id).where(Sealed.key_id.in_((key_id, CLOSED + key_id)), Sealed.wrapped_key.is_not(None))
        record = session.scalar(newest.order_by(Sealed.id.desc()).limit(1))
        yield key_id, str(record)


def _damaged(file: Path, how: str) -> Misconfigured:
    return Misconfigured(
        "DATABASE_DAMAGED",
        f"The database is damaged: {how}.",
        where=str(file),
        hint="Use another backup. If the ledger is in use, `pingzheng doctor` reports what is damaged.",
    )
