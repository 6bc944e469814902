"""Restore a ledger into a new home from backup, archive and chain. The chain may be newer than the backup.

The ledger is built and checked in a folder beside the home, which gets the name of the home at the end. So a restore is
complete or leaves no files. Batches that only the chain holds are recorded as lost; holders' bundles can bring the
entries of these batches back (``adopting``).
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from ledger.chain.contracts.deployment import PARTY_REGISTRY, Deployment
from ledger.chain.reading.reader import ChainReader
from ledger.chain.sending.client import ChainClient
from ledger.domain.disk import writing
from ledger.domain.findings import Finding
from ledger.errors import Conflict, Incoherent, InvalidInput, Misconfigured
from ledger.installation.home import require_free
from ledger.installation.local_chain import LocalClock, open_chain
from ledger.installation.recovery.archive import archive_copy
from ledger.installation.recovery.archiving import ERASURES, archive_file, chain_folder, remember_folder
from ledger.installation.recovery.backup import DATABASE, draft_of, sync_all
from ledger.installation.recovery.backup_checks import check_log, check_pages, unheld_keys
from ledger.installation.recovery.copied_files import copy_private
from ledger.installation.recovery.drafts import drafts_left
from ledger.installation.recovery.manifests import DATA, KEYS, Manifest
from ledger.installation.recovery.merging import Merged, merge
from ledger.installation.recovery.reclosing import apply_erasures, covers, damaged_texts
from ledger.installation.recovery.restored_chain import take_chain
from ledger.installation.recovery.restored_keys import settle_custody
from ledger.installation.recovery.restored_log import LogFound, anchors_of, settle_log, settle_parties, skip_numbers
from ledger.installation.settings import LOCK, Settings
from ledger.installation.setup import OPERATOR_NO
from ledger.installation.tables import METADATA, names_from
from ledger.log.coherence import Coherence
from ledger.parties.custody import Custody
from ledger.parties.offices import COUNT, FIRST, keys_within_reach, office_custody
from ledger.privacy.erasures_file import ErasuresFile
from ledger.privacy.key_providers import local_keys
from ledger.registration.tables import Registration
from ledger.rulebooks.scenarios import ScenarioBook
from ledger.store.database import Database, open_engine
from ledger.store.migrations import upgrade
from ledger.store.sealing import close_all, closed, reopen_all
from ledger.store.tables import Source
from ledger.wallet.private_file import sync_folder

# Tables that only the backup can restore. The archive is not complete for these tables: of their rows, it has only
# those to which an archived row of another table refers.
FROM_THE_BACKUP_ALONE: Final = names_from(Source.BACKUP)


@dataclass(frozen=True, slots=True)
class Sources:
    """The sources of a restore.

    ``chain`` is a folder with a newer journal of a local chain. ``erasures`` is a further list of erasures, in addition
    to the archive's list. ``without_keys`` are the ids of wrapping keys that are lost for good. ``accept_chain_loss``
    allows a local chain whose last blocks are lost.
    """

    backup: Path
    keys: Path
    archive: Path | None = None
    chain: Path | None = None
    erasures: Path | None = None
    without_keys: frozenset[str] = frozenset()
    accept_chain_loss: bool = False


@dataclass(slots=True)
class Restored:
    """The result of a restore.

    ``closed`` is the number of texts that cannot be read until ``confirm_erasures`` is called. ``unheld`` gives for
    each missing wrapping key (by id) the number of texts that need the key. ``erased`` is the number of erasures
    applied from the list, None if there is no list. ``texts_damaged`` are the ids of sealed records whose text is
    damaged in the archive. ``drafts`` are the folders that killed restores left beside the home.
    """

    ledger: str
    backup: str
    made_at: int
    chain: str = "elsewhere"
    log: LogFound = field(default_factory=lambda: LogFound(0, 0, 0, ()))
    merged: Merged = field(default_factory=lambda: Merged(0, ()))
    skipped: int = 0
    erased: int | None = None
    closed: int = 0
    unheld: Mapping[str, int] = field(default_factory=dict)
    texts_damaged: Sequence[str] = ()
    drafts: Sequence[Finding] = ()
    parties_unknown: int = 0
    assets_unknown: int = 0


def restore(settings: Settings, sources: Sources) -> Restored:
    """Restore the ledger of a backup into the new folder ``settings.home``.

    Raises ``Conflict`` ``HOME_NOT_EMPTY``, ``CHAINS_DIFFER``, ``CHAIN_RUNNING``; ``NotFound`` ``BACKUP_MISSING``;
    ``Misconfigured`` ``BACKUP_DAMAGED`` (it names the file), ``BACKUP_KEYS_DIFFER``, ``ARCHIVE_DIFFERS``,
    ``SEALING_KEY_MISSING``; ``Incoherent`` if backup, archive and chain do not belong together; ``ChainUnavailable``;
    ``StorageFull`` ``DISK_FULL``. After an error no files are left.
    """
    if settings.database_url is not None:
        raise InvalidInput(
            "RESTORE_DATABASE",
            "A ledger can only be restored as an SQLite database in its home folder.",
            where="PINGZHENG_DATABASE_URL",
            hint="Unset PINGZHENG_DATABASE_URL; restore a server's database with the server's own tools.",
        )
    home = settings.home
    require_free(home)
    data, keys = Manifest.read(sources.backup, DATA), Manifest.read(sources.keys, KEYS)
    if data.ledger != keys.ledger:
        raise _keys_differ(sources.keys)
    with writing(str(home)), draft_of(home) as draft:
        made = settings.model_copy(update={"home": draft, "archive": None})
        _copy(sources, data, keys, draft)
        restored = Restored(data.ledger, data.id, data.made_at)
        if settings.rpc_url is None:
            archived = None if sources.archive is None else chain_folder(sources.archive, data.ledger)
            restored.chain = take_chain(sources.backup, sources.chain, archived, draft)
        _put_together(made, sources, restored)
        if sources.archive is not None:
            remember_folder(draft, sources.archive)
        elif sources.erasures is not None:
            # Keep the list of erasures: without it, bundles could later bring back texts that were erased.
            copy_private(sources.erasures, draft / ERASURES)
        check_pages(draft / DATABASE)
        sync_all(draft)
        _take_its_place(draft, home)
    restored.drafts = list(drafts_left(home))
    return restored


def _copy(sources: Sources, data: Manifest, keys: Manifest, draft: Path) -> None:
    for folder, manifest in ((sources.backup, data), (sources.keys, keys)):
        for name in manifest.files:
            if not name.startswith("chain/"):
                copy_private(folder / name, draft / name)
    if (deployed := Deployment.load(draft / "deployment.json").ledger) != data.ledger:
        raise Misconfigured(
            "LEDGER_DIFFERS",
            "The deployment file in the backup belongs to another ledger.",
            where="deployment.json",
            hint="Use another copy of this backup.",
            expected=data.ledger,
            found=deployed,
        )


def _put_together(settings: Settings, sources: Sources, restored: Restored) -> None:
    """Merge the archive into the draft's database, and compare the database with the chain."""
    with ExitStack() as stack:
        engine = open_engine(settings.database)
        stack.callback(engine.dispose)
        upgrade(engine)
        database = Database(engine)
        provider = local_keys(settings.key_provider, settings.keys_folder, os.environ)
        chain = stack.enter_context(open_chain(settings))
        client = ChainClient.at(chain.url, Deployment.load(settings.home / "deployment.json")).check()
        reader = ChainReader(client)
        clock = LocalClock(settings)
        erasures = _erasures(sources, restored.ledger)
        listed = None if erasures is None else [erased for each in erasures for erased in each.read()]
        with database.write() as session:
            if sources.archive is not None:
                with archive_copy(
                    settings.home, archive_file(sources.archive, restored.ledger), restored.ledger
                ) as archive:
                    restored.merged = merge(archive, session, lambda key_id: _held(settings, key_id))
            restored.log = settle_log(session, anchors_of(reader, OPERATOR_NO))
            _require_chain(restored, sources)
            restored.parties_unknown = settle_parties(session, _registered(reader))
            settle_custody(session, reader, *_custody(settings.home))
            restored.assets_unknown = reader.asset_count() - _on_chain(session, reader)
            lost = sum(batch.missing for batch in restored.log.lost)
            scenarios = [scenario.code for scenario in ScenarioBook.load(settings.scenarios).all()]
            restored.skipped = skip_numbers(session, scenarios, restored.made_at, clock(), lost)
            for name in names_from(Source.NOWHERE):
                session.execute(delete(METADATA.tables[name]))
            restored.erased = apply_erasures(session, listed)
            # The search for missing keys comes after the erasures, because erased texts need no key.
            restored.unheld = unheld_keys(session, provider)
            # A lost batch may contain erasures that an old list does not have. So texts stay unreadable until the
            # operator confirms the erasures.
            if listed is None or restored.log.lost or not covers(session, listed):
                close_all(session)
            else:
                reopen_all(session)
            restored.texts_damaged = damaged_texts(session, provider, listed, restored.merged.texts)
            restored.closed = closed(session)
        _require_keys(restored.unheld, sources.without_keys)
        with database.read() as session:
            check_log(session)
        found = Coherence(database, reader, OPERATOR_NO, clock, local=settings.rpc_url is None).findings()
        if found:
            raise found[0].refusal()


def _erasures(sources: Sources, ledger: str) -> list[ErasuresFile] | None:
    """Return the lists of erasures, or None if there is no list. A list that ``sources`` names must exist."""
    paths = [] if sources.erasures is None else [sources.erasures]
    if sources.archive is not None and (sources.archive / ERASURES).exists():
        paths.append(sources.archive / ERASURES)
    return [ErasuresFile(path, ledger) for path in paths] or None


def _require_chain(restored: Restored, sources: Sources) -> None:
    """Raise ``Incoherent`` ``CHAIN_BEHIND_ARCHIVE`` if the chain has lost its last blocks.

    A batch is archived after the previous batch was anchored, so the chain must hold the batch before the newest
    archived batch.
    """
    newest = restored.merged.newest
    if newest is None or newest <= restored.log.batches or sources.accept_chain_loss:
        return
    raise Incoherent(
        "CHAIN_BEHIND_ARCHIVE",
        f"The archive holds {newest + 1} batches, the chain {restored.log.batches}: the chain lost its last blocks, "
        "with revocations, uses, withdrawals, holds and changes of keys.",
        where="chain",
        hint="Give the newer chain with --chain or --rpc-url. If no newer chain exists, give --accept-chain-loss: the "
        "batches are anchored again, and you must repeat the revocations and holds made since the backup.",
        batches=restored.log.batches,
        archived=newest + 1,
    )


def _held(settings: Settings, key_id: str) -> bool:
    if settings.key_provider == "environment":
        return f"PINGZHENG_KEK_{key_id}" in os.environ
    return (settings.keys_folder / f"kek-{key_id}.key").exists()


def _require_keys(unheld: Mapping[str, int], known: frozenset[str]) -> None:
    if missing := sorted(unheld.keys() - known):
        raise Misconfigured(
            "SEALING_KEY_MISSING",
            f"The given keys do not include keys that wrap texts: {', '.join(missing)}.",
            where="--keys",
            hint="Give the keys of a later backup. If a key is lost for good, give its id with --without-key; the "
            "texts that the key wraps can never be opened again.",
            texts={key_id: unheld[key_id] for key_id in missing},
        )


def _custody(home: Path) -> tuple[Custody, list[str]]:
    """Return the private keys that the home holds for parties, and the accounts of all keys in the home."""
    offices = [office_custody(home, FIRST + place) for place in range(COUNT)]
    custody = keys_within_reach(home)
    return custody, [account for each in (custody, *offices) for account in each.accounts]


def _registered(reader: ChainReader) -> dict[str, int]:
    """Return for each party id the party's number on the chain."""
    last = reader.block_number()
    events = reader.batched(last).events(PARTY_REGISTRY, "PartyRegistered", reader.deploy_block, last)()
    return {str(event.args["id"]): int(event.args["no"]) for event in events}


def _on_chain(session: Session, reader: ChainReader) -> int:
    known: Sequence[str] = session.scalars(select(Registration.asset_id)).all()
    return sum(asset is not None for asset in reader.assets(known)) if known else 0


def _take_its_place(draft: Path, home: Path) -> None:
    require_free(home)
    (home / LOCK).unlink(missing_ok=True)
    try:
        draft.rename(home)
    except OSError as error:
        raise Conflict(
            "HOME_NOT_EMPTY",
            "A new ledger needs an empty folder, but this folder is not empty.",
            where=str(home),
            hint="Give another --home. If --home is a mount point, give a folder inside it.",
        ) from error
    sync_folder(home.absolute().parent)


def _keys_differ(folder: Path) -> Misconfigured:
    return Misconfigured(
        "BACKUP_KEYS_DIFFER",
        "The keys and the data belong to different ledgers.",
        where=str(folder),
        hint="Give the keys that `pingzheng backup` wrote together with the data, or the keys of a later backup.",
    )
