"""What was erased since a backup is erased again after a restore; without the list, restored texts stay closed."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ledger.certificates.tables import Certificate
from ledger.domain.digests import hex_of
from ledger.errors import PingzhengError
from ledger.installation.recovery.archiving import Archiving
from ledger.installation.recovery.merging import Texts
from ledger.parties.tables import Party
from ledger.privacy.erasures_file import ErasedText, ErasuresFile
from ledger.store.database import Database
from ledger.store.erasure_tables import ErasureRecord
from ledger.store.sealing import CLOSED, KeyProvider, Sealer, reopen_all
from ledger.store.tables import Entry, Sealed
from ledger.usage.tables import AccessRequest, Authorization, Provision

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
        return erased or 0, opened

    def scrub(self) -> None:
        """Leave nothing of what the list erased in the database's files; see ``Database.scrub``."""
        self._database.scrub()


def covers(session: Session, told: Sequence[ErasedText]) -> bool:
    """Whether a list has every erasure that the log records: one that lacks one is older than the log."""
    listed = {target for each in told for target in (*each.targets, each.party) if target is not None}
    for body in session.scalars(select(Entry.body).where(Entry.type == "erasure")):
        entry = json.loads(body)
        # Without targets it was the identity of the subject.
        named = [hex_of(target) for target in entry["targets"]] or [entry["subject"]]
        if not listed.issuperset(named):
            return False
    return True


def apply_erasures(session: Session, told: Sequence[ErasedText] | None) -> int | None:
    """Erase what the list says, and what the log here records as erased; part of the caller's transaction.

    Returns how many erasures the list has, None without one.
    """
    targets = _targets(session, told)
    for chunk in _chunks(targets):
        for party in session.scalars(select(Party.id).where(Party.id.in_(chunk))).all():
            session.execute(update(Party).where(Party.id == party).values(lookup=secrets.token_hex(32)))
    for chunk in _chunks(_named(session, told, targets)):
        session.execute(update(Sealed).where(Sealed.id.in_(chunk)).values(wrapped_key=None, ciphertext=b""))
    return None if told is None else len(told)


def damaged_texts(session: Session, keys: KeyProvider, told: Sequence[ErasedText] | None, texts: Texts) -> list[str]:
    """The texts that are damaged in an archive, by the ids of their sealed records; after ``apply_erasures``.

    One that the archive lacks and no erasure names may have been erased all the same: if the backup has it, it is kept
    and closed until somebody has looked. Where text differs, that of the backup stays.
    """
    unnamed = sorted({*texts.without} - _named(session, told, _targets(session, told)))
    for chunk in _chunks(unnamed):
        kept = Sealed.id.in_(chunk), Sealed.wrapped_key.is_not(None), ~Sealed.key_id.startswith(CLOSED)
        session.execute(update(Sealed).where(*kept).values(key_id=CLOSED + Sealed.key_id))
    unopened: list[str] = []
    for chunk in _chunks(texts.fresh):
        query = select(Sealed.id, Sealed.key_id).where(Sealed.id.in_(chunk), Sealed.wrapped_key.is_not(None))
        for record, key_id in session.execute(query).all():
            try:
                Sealer(keys).open_with(session, record, key_id.removeprefix(CLOSED))
            except PingzhengError as error:
                # A key that is missing or another one is reported for itself.
                unopened += [record] if error.code == "SEALED_DAMAGED" else []
    return sorted({*unnamed, *texts.differing, *unopened})


def _targets(session: Session, told: Sequence[ErasedText] | None) -> set[str]:
    """What was erased by the list and by the log here: a statement by its digest, or a party by its id."""
    targets = {target for each in told or () for target in each.targets}
    targets |= {each.party for each in told or () if each.party is not None}
    return targets | set(session.scalars(select(ErasureRecord.target)))


def _named(session: Session, told: Sequence[ErasedText] | None, targets: set[str]) -> set[str]:
    """The sealed records, by id, that an erasure names."""
    sealed = {record for each in told or () for record in each.sealed}
    for chunk in _chunks(targets):
        for table in _SEALING:
            found = session.scalars(select(table.sealed_id).where(table.digest.in_(chunk)))
            sealed |= {record for record in found if record is not None}
        sealed |= set(session.scalars(select(Party.sealed_id).where(Party.id.in_(chunk))))
    return sealed


def _chunks(values: Iterable[str]) -> Iterator[list[str]]:
    ordered = sorted(values)
    return (ordered[start : start + _AT_ONCE] for start in range(0, len(ordered), _AT_ONCE))
