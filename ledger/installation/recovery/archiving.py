"""Archive every batch in a folder on another disk before the batch is anchored.

The chain holds only roots, so the loss of the ledger's disk would lose all entries that are newer than the last backup.
Therefore a batch is anchored only after the batch is stored in two places. If the archive folder is full or missing,
only the anchoring stops. It continues automatically when the folder can be written again.

The file ``archive.json`` in the home records the archive's folder. So a command that is started without
PINGZHENG_ARCHIVE also archives, and an empty folder in place of an unmounted disk is detected.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from errno import EDQUOT, ENOSPC
from pathlib import Path
from typing import Any, Final

import structlog
from sqlalchemy import select

from ledger.domain.days import Clock
from ledger.errors import Misconfigured, PingzhengError, StorageFull
from ledger.installation.recovery.archive import Archive, archive_failure
from ledger.installation.recovery.copied_files import follow_lines
from ledger.installation.settings import Settings
from ledger.privacy.erasures_file import ErasedText, ErasuresFile
from ledger.store.database import Database
from ledger.store.erasure_tables import ErasureRecord
from ledger.store.tables import Batch
from ledger.wallet.private_file import sync_folder, write_private

log = structlog.get_logger()
PLACE: Final = "archive.json"
ERASURES: Final = "erased.jsonl"
JOURNAL: Final = "journal.jsonl"
CLOCK: Final = "clock.json"
BEHIND: Final = "ARCHIVE_BEHIND"
# A number greater than every batch number.
NO_BATCH: Final = 2**62


def archive_file(folder: Path, ledger: str) -> Path:
    """Return the path of a ledger's archive in a folder of archives; ``ledger`` is the ledger digest."""
    return folder / f"{ledger[:16]}.db"


def chain_folder(folder: Path, ledger: str) -> Path:
    """Return the folder in which the journal of a ledger's local chain is archived."""
    return folder / f"{ledger[:16]}.chain"


def remembered_folder(home: Path) -> Path | None:
    """Return the folder in which the ledger of this home was last archived, or None.

    Raises ``Misconfigured`` ``ARCHIVE_PLACE_DAMAGED``.
    """
    try:
        return Path(json.loads((home / PLACE).read_text())["folder"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise Misconfigured(
            "ARCHIVE_PLACE_DAMAGED",
            "The file with the archive's folder, archive.json, cannot be read.",
            where=PLACE,
            hint='Write the file again: {"folder": "/path/of/the/archive"}.',
        ) from error


def remember_folder(home: Path, folder: Path) -> None:
    """Record the folder in which the ledger of this home is archived."""
    write_private(home / PLACE, json.dumps({"folder": str(folder.absolute())}))


def erasures_path(settings: Settings, folder: Path | None) -> Path | None:
    """Return the path of the list of erasures, or None if there is no list.

    The first of these lists that exists is used: the list in the settings, the archive's list, the restored list.
    """
    if settings.erasures is not None or folder is not None:
        return settings.erasures or (folder and folder / ERASURES)
    restored = settings.home / ERASURES
    return restored if restored.exists() else None


class Archiving:
    """Archives a batch before its anchor is sent, if an archive folder is set. ``ledger`` is the ledger digest."""

    def __init__(self, settings: Settings, database: Database, ledger: str, clock: Clock) -> None:
        self._home = settings.home
        self._local = settings.rpc_url is None
        self._database = database
        self._ledger = ledger
        self._clock = clock
        remembered = remembered_folder(settings.home)
        self._folder = settings.archive or remembered
        self._known = remembered is not None and self._folder is not None and _same(remembered, self._folder)
        path = erasures_path(settings, self._folder)
        self._erasures = ErasuresFile(path, ledger) if path else None
        self._archive: Archive | None = None
        self._complete = False
        self._chain_seen: list[tuple[int, int] | None] = []

    def __call__(self, batch: Batch | None) -> None:
        """Archive this batch and all earlier batches that the archive lacks, and wait until they are on the disk.

        The journal of a local chain is archived first, because the journal is on the same disk as the ledger. If no
        batch is given, the journal and all missing batches are archived. In that case nothing is being anchored, so it
        is no error if the archive cannot be reached; this is only logged.

        Raises ``StorageFull`` ``ARCHIVE_FULL``; ``Misconfigured`` ``ARCHIVE_MISSING``, ``ARCHIVE_UNREADABLE``,
        ``ARCHIVE_DIFFERS``; ``Conflict`` ``ARCHIVE_FORKED``.
        """
        if self._folder is None:
            return
        if batch is None:
            self._follow(self._folder)
            return
        archive = self._opened(self._folder)
        self._archive_chain(self._folder)
        self._fill(archive, batch.number)
        archive.keep(self._database, [batch.number])

    def _fill(self, archive: Archive, below: int) -> None:
        """Archive the batches with numbers below ``below`` that the archive lacks. After one complete search, this
        process does not search again.
        """
        if self._complete:
            return
        for number in archive.missing(self._database, below):
            archive.keep(self._database, [number])
        self._complete = True

    def _follow(self, folder: Path) -> None:
        # While a check finds that database and chain do not fit together, this may be the wrong database, so nothing is
        # archived from it.
        if self._database.standing is not None:
            return
        try:
            archive = self._opened(folder)
            self._archive_chain(folder)
            self._fill(archive, NO_BATCH)
        except PingzhengError as error:
            log.debug("the archive was not reached", code=error.code)

    def _archive_chain(self, folder: Path) -> None:
        """Update the archived copy of a local chain's journal and clock."""
        chain, copy = self._home / "chain", chain_folder(folder, self._ledger)
        if not self._local or not (chain / JOURNAL).exists():
            return
        files = [folder / name for folder in (chain, copy) for name in (JOURNAL, CLOCK)]
        if self._chain_seen == (seen := _stamps(files)) and None not in seen:
            return
        try:
            copy.mkdir(mode=0o700, exist_ok=True)
            follow_lines(chain / JOURNAL, copy / JOURNAL)
            clock = (chain / CLOCK).read_text()
            if not (copy / CLOCK).exists() or (copy / CLOCK).read_text() != clock:
                write_private(copy / CLOCK, clock)
            self._chain_seen = [*seen[:2], *_stamps(files)[2:]]
        except (OSError, StorageFull) as error:
            full = isinstance(error, StorageFull) or error.errno in (ENOSPC, EDQUOT)
            raise archive_failure(copy, full=full) from error

    def take_over(self, listed: Sequence[ErasedText]) -> None:
        """Add the erasures of another list to this ledger's list, so that no bundle brings the erased texts back.

        Raises the errors of ``ErasuresFile.append``.
        """
        if not listed:
            return
        if self._erasures is None:
            self._erasures = ErasuresFile(self._home / ERASURES, self._ledger)
        targets = {target for each in listed for target in (*each.targets, each.party) if target is not None}
        sealed = {record for each in listed for record in each.sealed}
        self._erasures.append(ErasedText(self._clock(), tuple(sorted(targets)), None, tuple(sorted(sealed))))

    def _begin_list(self) -> None:
        """Begin a new list with all earlier erasures. So the new list is complete even if the old list was lost."""
        if self._erasures is None or self._erasures.path.exists():
            return
        with self._database.read() as session:
            before = tuple(sorted(session.scalars(select(ErasureRecord.target))))
        if before:
            self._erasures.append(ErasedText(self._clock(), before, None, ()))
        else:
            self._erasures.begin()

    def require(self) -> None:
        """Raise the errors of ``__call__`` if an archive is set and cannot be written."""
        if self._folder is not None:
            self._opened(self._folder)

    def record_erasure(self, targets: tuple[str, ...], party: str | None, sealed: tuple[str, ...]) -> None:
        """Add an erasure to the list before the texts are erased; raises the errors of ``ErasuresFile.append``."""
        if self._erasures is None:
            return
        if self._folder is not None and self._erasures.path.parent == self._folder:
            self._opened(self._folder)
        self._begin_list()
        self._erasures.append(ErasedText(self._clock(), targets, party, sealed))

    def erased(self) -> list[str]:
        """Return the digests of statements and the ids of parties in the list of erasures.

        Raises the errors of ``ErasuresFile.read``.
        """
        if self._erasures is None or not self._erasures.path.exists():
            return []
        listed = self._erasures.read()
        return [target for each in listed for target in (*each.targets, each.party) if target is not None]

    def erase(self, sealed: tuple[str, ...], party: str | None) -> bool:
        """Erase the texts in the archive; return False if the archive cannot be reached.

        In that case the texts in the archive are erased later, when the erasure's log entry is archived.
        """
        if self._folder is None:
            return True
        try:
            self._opened(self._folder).erase(sealed, party)
        except PingzhengError as error:
            log.warning("the archive was not reached, the erasure follows with the next batch", code=error.code)
            return False
        return True

    def scrub(self, remains: Sequence[bytes]) -> bool:
        """Remove the remains of erased texts from the archive's file; return False if the archive cannot be reached.

        See ``Database.scrub``.
        """
        try:
            return self._folder is None or self._opened(self._folder).scrub(remains)
        except PingzhengError:
            return False

    def rewrap(self, current: str) -> int:
        """Copy to the archive the data keys that the database has wrapped with ``current``.

        Returns the number of texts whose data key was copied; raises the errors of ``__call__``.
        """
        return 0 if self._folder is None else self._opened(self._folder).rewrap(self._database, current)

    def keys_needed(self) -> dict[str, int]:
        """Return for each wrapping key (by id) how many archived texts need this key; raises the errors of
        ``__call__``.
        """
        return {} if self._folder is None else self._opened(self._folder).keys_needed()

    def check(self) -> dict[str, Any] | None:
        """Return the state of the archive: its contents, ``ok``, and ``code`` if ``ok`` is false; None if no archive is
        set.

        ``behind`` is the number of batches that the database has and the archive lacks; if it is not 0, ``ok`` is
        false.
        """
        if self._folder is None:
            return None
        state: dict[str, Any] = {"ok": True, "folder": str(self._folder)}
        try:
            archive = self._opened(self._folder)
            extent = archive.extent()
            behind = len(archive.missing(self._database, NO_BATCH))
            free = shutil.disk_usage(self._folder).free
            same_disk = self._folder.stat().st_dev == self._home.stat().st_dev
        except PingzhengError as error:
            return state | {"ok": False, "code": error.code}
        late = {"ok": False, "code": BEHIND} if behind else {}
        return (
            state
            | late
            | {
                "batches": extent.batches,
                "entries": extent.entries,
                "behind": behind,
                "free_bytes": free,
                "same_disk": same_disk,
            }
        )

    def _opened(self, folder: Path) -> Archive:
        """Return the open archive; at the first use, create the file."""
        self._require(folder)
        file = archive_file(folder, self._ledger)
        if self._known and not file.exists():
            raise _missing(file)
        if self._archive is None:
            archive = Archive(file)
            new = not file.exists()
            archive.prepare(self._ledger, self._clock())
            if new:
                archive.begin(self._database)
                sync_folder(folder)
            self._begin_list()
            if not self._known:
                remember_folder(self._home, folder)
                self._known = True
            self._archive = archive
        return self._archive

    def _require(self, folder: Path) -> None:
        if not self._known and folder.parent.is_dir():
            folder.mkdir(mode=0o700, exist_ok=True)
        if not folder.is_dir():
            raise _missing(folder)


def _stamps(files: Sequence[Path]) -> list[tuple[int, int] | None]:
    """Return size and modification time of each file, or None for a missing file.

    With these values the caller reads only files that have changed.
    """
    found: list[tuple[int, int] | None] = []
    for file in files:
        try:
            stat = file.stat()
        except FileNotFoundError:
            found.append(None)
        else:
            found.append((stat.st_size, stat.st_mtime_ns))
    return found


def _same(one: Path, other: Path) -> bool:
    return one.absolute() == other.absolute()


def _missing(path: Path) -> Misconfigured:
    return Misconfigured(
        "ARCHIVE_MISSING",
        "The archive is not in its place.",
        where=str(path),
        hint="Mount the archive's disk. While it is missing, batches are not anchored, but no data is lost. To begin a "
        f"new archive, set PINGZHENG_ARCHIVE to an empty folder, or delete {PLACE} in the home.",
    )
