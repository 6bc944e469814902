"""Which journal of a local chain a restore goes on with: the backup's, or a newer one that was saved by itself."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from ledger.chain.locking import FileLock
from ledger.errors import Conflict, Misconfigured, NotFound
from ledger.installation.recovery.archiving import CLOCK, JOURNAL
from ledger.installation.recovery.copied_files import copy_private, end_of_lines

ENDING_SECONDS: Final = 5
_CHANGE: Final = ("method", "params", "time")


def take_chain(backup: Path, given: Path | None, archived: Path | None, home: Path) -> str:
    """Copy the newest of these chains into ``home``: ``backup`` is a backup's folder, ``given`` the folder ``chain`` of
    a home, or the home, ``archived`` the chain's folder in the archive. Returns which it was, by these names.

    Raises ``NotFound`` ``CHAIN_FOLDER_MISSING``; ``Conflict`` ``CHAIN_RUNNING`` where a node is at it, and
    ``CHAINS_DIFFER`` if none goes on where the others end; ``Misconfigured`` ``JOURNAL_DAMAGED``.
    """
    found = {"backup": backup / "chain"}
    if archived is not None:
        found["archive"] = archived
    found = {name: folder for name, folder in found.items() if (folder / JOURNAL).is_file()}
    if given is None:
        return _newest(found, home)
    with _alone_with(folder := _folder(given)):
        return _newest({"given": folder} | found, home)


def _newest(found: Mapping[str, Path], home: Path) -> str:
    if not found:
        raise NotFound(
            "CHAIN_FOLDER_MISSING",
            "The backup holds no chain: the ledger's was elsewhere.",
            where="--rpc-url",
            hint="Name a node of its chain: --rpc-url http://…",
        )
    changes = {name: _changes(folder / JOURNAL) for name, folder in found.items()}
    newest = max(changes, key=lambda name: len(changes[name]))
    for name, known in changes.items():
        if changes[newest][: len(known)] != known:
            raise Conflict(
                "CHAINS_DIFFER",
                "Two of the journals that were given are of chains that went apart.",
                where=str(found[name] / JOURNAL),
                hint="Give the journal of the chain that backup and archive were made on, or leave --chain out.",
            )
    _copied(found[newest], home)
    return newest


def _copied(source: Path, home: Path) -> None:
    # What a crash left of a last line was never answered.
    copy_private(source / JOURNAL, home / "chain" / JOURNAL, end_of_lines(source / JOURNAL))
    if (source / CLOCK).exists():
        copy_private(source / CLOCK, home / "chain" / CLOCK)


def _folder(given: Path) -> Path:
    for folder in (given, given / "chain"):
        if (folder / JOURNAL).is_file():
            return folder
    raise NotFound(
        "CHAIN_FOLDER_MISSING",
        "There is no journal of a local chain in this folder.",
        where=str(given),
        hint=f"Give the folder `chain` of the old home, with {JOURNAL} and {CLOCK}.",
    )


@contextmanager
def _alone_with(folder: Path) -> Iterator[None]:
    """No node writes the journal meanwhile; one that is just ending is waited for."""
    lock = folder / "journal.lock"
    if not lock.exists():
        yield
        return
    held, deadline = FileLock(lock), time.monotonic() + ENDING_SECONDS
    while not held.acquire():
        if time.monotonic() > deadline:
            raise Conflict(
                "CHAIN_RUNNING",
                "Another node is at the journal of this chain.",
                where=str(folder),
                hint="End the program that started it: two would write two histories into one.",
            )
        time.sleep(0.05)
    try:
        yield
    finally:
        held.release()


def _changes(journal: Path) -> list[tuple[Any, ...]]:
    """The changes of a journal, without what its format adds to each."""
    lines = journal.read_bytes().split(b"\n")[:-1]
    found = []
    for number, line in enumerate(lines, start=1):
        try:
            told: dict[str, Any] = json.loads(line)
            if "journal" not in told:
                found.append(tuple(told[name] for name in _CHANGE))
        except (ValueError, TypeError, KeyError) as error:
            raise Misconfigured(
                "JOURNAL_DAMAGED",
                f"Line {number} of the journal of the local chain is damaged.",
                where=str(journal),
                hint="Use another copy of it.",
                line=number,
            ) from error
    return found
