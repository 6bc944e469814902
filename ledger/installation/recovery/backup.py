"""Back up an operator's ledger while the service runs: data and keys in two folders.

The order of copying makes the backup consistent. The database is copied first. The chain's journal comes second,
because it may be newer than the copied database, but not older. The keys come last, so that every key is included that
the database needs. The copied files are read and checked. Only then are the manifests written and the folders renamed
to their final names.
"""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import func, select
from ulid import ULID

from ledger import __version__
from ledger.chain.contracts.deployment import Deployment
from ledger.domain.disk import writing
from ledger.errors import Conflict, InvalidInput
from ledger.installation.home import require_files, require_made
from ledger.installation.membership import require_operating
from ledger.installation.recovery.backup_checks import check_accounts, check_keys, check_log, check_pages
from ledger.installation.recovery.copied_files import copy_private, end_of_lines, sync_file
from ledger.installation.recovery.drafts import locked_draft
from ledger.installation.recovery.manifests import DATA, KEYS, Manifest
from ledger.installation.settings import Settings
from ledger.installation.tables import METADATA
from ledger.privacy.key_providers import local_keys
from ledger.store.copying import copy_database, reading_copy
from ledger.store.database import open_engine
from ledger.store.tables import Batch, Entry
from ledger.wallet.private_file import sync_folder

DATABASE: Final = "ledger.db"
# Further files of the home that are copied if they exist; seen.json exists only after the first verification.
PLAIN: Final = ("deployment.json", "installation.json", "seen.json")
CHAIN: Final = ("chain/journal.jsonl", "chain/clock.json")


@dataclass(frozen=True, slots=True)
class Written:
    """A backup that was written and checked: its two folders, and in ``about`` a description of the contents."""

    id: str
    ledger: str
    folder: Path
    keys: Path
    made_at: int
    about: Mapping[str, Any]


def back_up(settings: Settings, folder: Path, keys: Path) -> Written:
    """Back up the ledger in ``settings.home`` into two new folders, one for the data and one for the keys.

    Raises ``Conflict`` ``BACKUP_EXISTS``, ``InvalidInput`` ``BACKUP_FOLDERS``, ``StorageFull`` ``DISK_FULL``; and the
    errors of ``backup_checks`` if the ledger is damaged: a damaged ledger is not backed up.
    """
    require_made(settings.home)
    require_operating(settings.home)
    require_files(settings)
    _require_apart(settings.home, folder, keys)
    identifier, made_at = str(ULID()), int(time.time())
    ledger = Deployment.load(settings.home / "deployment.json").ledger
    with writing(str(folder)), draft_of(folder) as data_draft, draft_of(keys) as keys_draft:
        _copy_data(settings, data_draft)
        with writing(str(keys)):
            _copy_keys(settings.home, keys_draft)
        about = _checked(settings, data_draft, keys_draft)
        for draft, kind in ((data_draft, DATA), (keys_draft, KEYS)):
            manifest = Manifest.of(draft, kind, identifier, ledger, made_at, **about)
            manifest.write(draft)
            Manifest.read(draft, kind)
            sync_all(draft)
        # The folder of the keys is renamed first. Otherwise a crash could leave data without keys, which would look
        # like a complete backup.
        keys_draft.rename(keys)
        try:
            data_draft.rename(folder)
        except BaseException:
            keys.rename(keys_draft)
            raise
    for parent in {folder.absolute().parent, keys.absolute().parent}:
        sync_folder(parent)
    return Written(identifier, ledger, folder, keys, made_at, about)


@contextmanager
def draft_of(target: Path) -> Iterator[Path]:
    """Create a private folder, which the caller renames to ``target``; delete it at the end if it was not renamed.

    SIGTERM and SIGHUP end the block of code as Ctrl-C does, so that the folder is deleted and no keys are left in it.
    """
    with locked_draft(target) as draft, _ended_like_ctrl_c():
        yield draft


@contextmanager
def _ended_like_ctrl_c() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, _interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def sync_all(folder: Path) -> None:
    """Write every file in the folder, and the folders themselves, through to the disk."""
    for path in [*folder.rglob("*"), folder]:
        if path.is_dir():
            sync_folder(path)
        else:
            sync_file(path)


def _require_apart(home: Path, folder: Path, keys: Path) -> None:
    places = [path.absolute().resolve() for path in (home, folder, keys)]
    for one in places:
        if any(one is not other and (one == other or one in other.parents) for other in places):
            raise InvalidInput(
                "BACKUP_FOLDERS",
                "The folders for home, backup and keys contain each other.",
                where="--keys",
                hint="Write the data to one disk and the keys to another, both outside the home.",
            )
    for path in (folder, keys):
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise Conflict(
                "BACKUP_EXISTS",
                "The folder is not empty, and a backup overwrites no files.",
                where=str(path),
                hint="Name a new folder for each backup, for example with the date.",
            )


def _copy_data(settings: Settings, draft: Path) -> None:
    engine = open_engine(settings.database)
    try:
        copy_database(engine, draft / DATABASE, METADATA)
    finally:
        engine.dispose()
    if settings.rpc_url is None:
        journal, clock = CHAIN
        source = settings.home / journal
        # If the journal's last line is still being written, only the next backup contains that line.
        copy_private(source, draft / journal, end_of_lines(source))
        copy_private(settings.home / clock, draft / clock)
    for name in PLAIN:
        if (settings.home / name).exists():
            copy_private(settings.home / name, draft / name)


def _copy_keys(home: Path, draft: Path) -> None:
    for source in ("keys", "offices"):
        for path in sorted((home / source).rglob("*")):
            # A name with a leading dot belongs to a file that is still being written.
            if path.is_file() and not path.name.startswith("."):
                copy_private(path, draft / path.relative_to(home))


def _checked(settings: Settings, data: Path, keys: Path) -> dict[str, Any]:
    """Check the copied files, and return the description of the contents for the manifest."""
    file = data / DATABASE
    check_pages(file)
    json.loads((data / "deployment.json").read_bytes())
    with reading_copy(file) as session:
        check_log(session)
        wrapped = check_keys(session, local_keys(settings.key_provider, keys / "keys", os.environ))
        batches = session.scalar(select(func.count()).select_from(Batch))
        entries = session.scalar(select(func.count()).select_from(Entry))
    held = sum(check_accounts(path) for path in sorted(keys.rglob("accounts.json")))
    return {
        "version": __version__,
        "batches": batches,
        "entries": entries,
        "texts_by_key": wrapped,
        "private_keys": held,
        "chain": "journal" if settings.rpc_url is None else "elsewhere",
    }
