"""What was erased since a backup is erased again after a restore; without the list, restored texts stay closed."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ledger.service.archiving import Archiving
from ledger.service.erasures_file import ErasedText, ErasuresFile
from ledger.store.database import Database
from ledger.store.erasure_tables import ErasureRecord
from ledger.store.sealing import reopen_all
from ledger.store.tables import AccessRequest, Authorization, Certificate, Entry, Party, Provision, Sealed

_SEALING = (AccessRequest, Authorization, Provision, Certificate)
_AT_ONCE = 5_000


class ClosedTexts:
    """The texts that a restore left closed because nobody knew what was erased since the backup. ``ledger`` is the
    ledger digest."""

    def __init__(self, database: Database, ledger: str, archiving: Archiving) -> None:
        self._database = database
        self._ledger = ledger
        self._archiving = archiving

    def confirm(self, erasures: Path | None) -> tuple[int, int]:
        """Apply the list of erasures, if there is one, and open the texts; how many erasures and texts.

        The list is kept: what it names must not come back with a holder's bundle. Raises ``NotFound``
        ``ERASURES_MISSING``, ``Misconfigured`` ``ERASURES_DAMAGED``.
        """
        told = [] if erasures is None else ErasuresFile(erasures, self._ledger).read()
        self._archiving.take_over(told)
        with self._database.write() as session:
            erased = apply_erasures(session, told)
            opened = reopen_all(session)
        self._database.scrub()
        return erased or 0, opened


def covers(session: Session, told: Sequence[ErasedText]) -> bool:
    """Whether a list has every erasure that the log records: one that lacks one is older than the log."""
    listed = {target for each in told for target in (*each.targets, each.party) if target is not None}
    for body in session.scalars(select(Entry.body).where(Entry.type == "erasure")):
        entry = json.loads(body)
        # Without targets it was the identity of the subject.
        named = [target.removeprefix("sha-256:") for target in entry["targets"]] or [entry["subject"]]
        if not listed.issuperset(named):
            return False
    return True


def apply_erasures(session: Session, told: Sequence[ErasedText] | None) -> int | None:
    """Erase what the list says, and what the log here records as erased; part of the caller's transaction.

    Returns how many erasures the list has, None without one.
    """
    sealed = {record for each in told or () for record in each.sealed}
    targets = {target for each in told or () for target in each.targets}
    targets |= {each.party for each in told or () if each.party is not None}
    targets |= set(session.scalars(select(ErasureRecord.target)))
    for chunk in _chunks(targets):
        for table in _SEALING:
            found = session.scalars(select(table.sealed_id).where(table.digest.in_(chunk)))
            sealed |= {record for record in found if record is not None}
        # A target is a statement by its digest, or a party by its id.
        for party, record in session.execute(select(Party.id, Party.sealed_id).where(Party.id.in_(chunk))).all():
            sealed.add(record)
            session.execute(update(Party).where(Party.id == party).values(lookup=secrets.token_hex(32)))
    for chunk in _chunks(sealed):
        session.execute(update(Sealed).where(Sealed.id.in_(chunk)).values(wrapped_key=None, ciphertext=b""))
    return None if told is None else len(told)


def _chunks(values: Iterable[str]) -> Iterator[list[str]]:
    ordered = sorted(values)
    return (ordered[start : start + _AT_ONCE] for start in range(0, len(ordered), _AT_ONCE))
