"""After a restore, erase again the texts that were erased since the backup.

Without the list of erasures, it is unknown which texts must be erased, so all restored texts stay closed (unreadable).
"""

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
from ledger.store.sealing import CLOSED, KeyProvider, Sealer, reopen_all, seal_nothing, texts_erased_with
from ledger.store.tables import Entry, Sealed
from ledger.usage.tables import AccessRequest, Authorization, Provision

_SEALING = (AccessRequest, Authorization, Provision, Certificate)
_AT_ONCE = 5_000


class ClosedTexts:
    """The texts that a restore closed (made unreadable) because it was unknown which texts were erased since the
    backup.

    ``ledger`` is the ledger digest.
    """

    def __init__(self, database: Database, ledger: str, archiving: Archiving) -> None:
        self._database = database
        self._ledger = ledger
        self._archiving = archiving

    def confirm(self, erasures: Path | None) -> tuple[int, int]:
        """Apply the list of erasures, if one is given, and make all other texts readable again.

        Returns the number of erasures, and the number of texts that are readable again. The list is kept, so that no
        holder's bundle brings an erased text back. Raises ``NotFound`` ``ERASURES_MISSING``, ``Misconfigured``
        ``ERASURES_DAMAGED``.
        """
        erased_texts = [] if erasures is None else ErasuresFile(erasures, self._ledger).read()
        self._archiving.take_over(erased_texts)
        with self._database.write() as session:
            erased = apply_erasures(session, erased_texts)
            opened = reopen_all(session)
        return erased or 0, opened

    def scrub(self) -> None:
        """Remove the remains of erased texts from the database's files; see ``Database.scrub``."""
        self._database.scrub()


def covers(session: Session, erased_texts: Sequence[ErasedText]) -> bool:
    """Return whether the list has every erasure that the log records. A list that lacks such an erasure is older than
    the log.
    """
    listed = {target for each in erased_texts for target in (*each.targets, each.party) if target is not None}
    for body in session.scalars(select(Entry.body).where(Entry.type == "erasure")):
        entry = json.loads(body)
        # If an erasure names no targets, the identity of the subject was erased.
        named = [hex_of(target) for target in entry["targets"]] or [entry["subject"]]
        if not listed.issuperset(named):
            return False
    return True


def apply_erasures(session: Session, erased_texts: Sequence[ErasedText] | None) -> int | None:
    """Erase the texts in the list and the texts that the log records as erased, within the caller's transaction.

    Returns the number of erasures in the list, or None if there is no list.
    """
    targets = _targets(session, erased_texts)
    for chunk in _chunks(targets):
        for party in session.scalars(select(Party.id).where(Party.id.in_(chunk))).all():
            session.execute(update(Party).where(Party.id == party).values(lookup=secrets.token_hex(32)))
    for chunk in _chunks(_named(session, erased_texts, targets)):
        session.execute(update(Sealed).where(Sealed.id.in_(chunk)).values(wrapped_key=None, ciphertext=b""))
    _erase_versions(session, targets)
    return None if erased_texts is None else len(erased_texts)


def _erase_versions(session: Session, targets: set[str]) -> None:
    """Find the certificates among ``targets`` whose erasure is not in the log, and give each of them a sealed record of
    its own, which is marked as erased.

    Such a certificate may share provisions with a newer version, for which the texts of the provisions are kept.
    Without its own record, the claims of the erased version could be read again.
    """
    for chunk in _chunks(targets - set(session.scalars(select(ErasureRecord.target)))):
        shared = Certificate.sealed_id.is_(None) & Certificate.request_id.is_not(None)
        for row in session.scalars(select(Certificate).where(Certificate.digest.in_(chunk), shared)).all():
            row.sealed_id = seal_nothing(session, erased=True)
    session.flush()


def damaged_texts(
    session: Session, keys: KeyProvider, erased_texts: Sequence[ErasedText] | None, texts: Texts
) -> list[str]:
    """Return the ids of the sealed records whose text is damaged in the archive; call this after ``apply_erasures``.

    If the archive lacks a text and no erasure names the text, the text may have been erased all the same. If the backup
    has that text, the text is kept, but is unreadable until a person has checked it. If the two texts differ, the
    backup's text is kept.
    """
    unnamed = sorted({*texts.without} - _named(session, erased_texts, _targets(session, erased_texts)))
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
                # A missing or wrong wrapping key is not damage to the text; another check reports it.
                unopened += [record] if error.code == "SEALED_DAMAGED" else []
    return sorted({*unnamed, *texts.differing, *unopened})


def _targets(session: Session, erased_texts: Sequence[ErasedText] | None) -> set[str]:
    """Return the targets of all erasures in the list and in the log: digests of statements and ids of parties."""
    targets = {target for each in erased_texts or () for target in each.targets}
    targets |= {each.party for each in erased_texts or () if each.party is not None}
    return targets | set(session.scalars(select(ErasureRecord.target)))


def _named(session: Session, erased_texts: Sequence[ErasedText] | None, targets: set[str]) -> set[str]:
    """Return the ids of the sealed records that an erasure names."""
    sealed = {record for each in erased_texts or () for record in each.sealed}
    for chunk in _chunks(targets):
        for table in _SEALING:
            found = session.scalars(select(table.sealed_id).where(table.digest.in_(chunk)))
            sealed |= {record for record in found if record is not None}
        sealed |= set(texts_erased_with(session, chunk))
    return sealed


def _chunks(values: Iterable[str]) -> Iterator[list[str]]:
    ordered = sorted(values)
    return (ordered[start : start + _AT_ONCE] for start in range(0, len(ordered), _AT_ONCE))
