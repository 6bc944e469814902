"""Whether a copy of a ledger can be relied on: pages, entries, batches, sealed texts and the keys that open them."""

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
    """Raise ``Misconfigured`` ``DATABASE_DAMAGED`` unless the SQLite file is whole and its rows refer to rows."""
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            found = [row[0] for row in connection.execute("PRAGMA integrity_check(1)")]
            dangling = connection.execute("PRAGMA foreign_key_check").fetchone()
    except sqlite3.DatabaseError as error:
        raise _damaged(file, "its pages cannot be read") from error
    if found != ["ok"]:
        raise _damaged(file, "its pages do not fit together")
    if dangling is not None:
        raise _damaged(file, f"a row of {dangling[0]} refers to a row of {dangling[2]} that is missing")


def check_log(session: Session) -> None:
    """Check every entry against its leaf and every batch against its root.

    Raises ``Incoherent`` ``ENTRY_DAMAGED``, ``BATCH_DAMAGED`` or ``ENTRIES_MISSING`` naming the first that differs.
    """
    if (finding := next(audit(session), None)) is not None:
        raise finding.refusal()


def check_keys(session: Session, keys: KeyProvider) -> dict[str, int]:
    """How many texts each wrapping key opens, after the newest of each was opened with it.

    Raises ``Misconfigured`` ``SEALING_KEY_MISSING``, ``SEALING_KEY_WRONG`` or ``SEALED_DAMAGED``.
    """
    for key_id, record in _newest_of_each(session):
        Sealer(keys).open_with(session, record, key_id)
    return wrapped_by(session)


def unheld_keys(session: Session, keys: KeyProvider) -> dict[str, int]:
    """How many texts are wrapped by keys that do not open them, by key id."""
    counts, unheld = wrapped_by(session), dict[str, int]()
    for key_id, record in _newest_of_each(session):
        try:
            Sealer(keys).open_with(session, record, key_id)
        except PingzhengError:
            unheld[key_id] = counts[key_id]
    return unheld


def check_accounts(file: Path) -> int:
    """How many private keys a custody file holds, each of which makes the account that it stands under.

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
        "A key in the file is not that of its account.",
        where=str(file),
        hint="Restore the file from a backup that is older.",
    )


def _newest_of_each(session: Session) -> Iterator[tuple[str, str]]:
    """The id of each wrapping key, and of the newest record that it wraps."""
    for key_id in wrapped_by(session):
        newest = select(Sealed.id).where(Sealed.key_id.in_((key_id, CLOSED + key_id)), Sealed.wrapped_key.is_not(None))
        record = session.scalar(newest.order_by(Sealed.id.desc()).limit(1))
        yield key_id, str(record)


def _damaged(file: Path, how: str) -> Misconfigured:
    return Misconfigured(
        "DATABASE_DAMAGED",
        f"The database is damaged: {how}.",
        where=str(file),
        hint="Use another backup. `pingzheng doctor` says what is wrong with a ledger that is in use.",
    )
