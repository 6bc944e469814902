"""Choose the journal of a local chain for a restore: the backup's journal, or a newer journal."""

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
    """Copy the newest of several chains into ``home``, and return where it came from: "backup", "given" or "archive".

    ``backup`` is a backup's folder, ``given`` a home or its folder ``chain``, ``archived`` the folder of the archived
    chain. Raises ``NotFound`` ``CHAIN_FOLDER_MISSING``; ``Conflict`` ``CHAIN_RUNNING`` if a node uses the given chain,
    and ``CHAINS_DIFFER`` if the newest chain does not begin with the other chains; ``Misconfigured``
    ``JOURNAL_DAMAGED``.
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
            "The backup contains no chain: the ledger's chain is not a local chain.",
            where="--rpc-url",
            hint="Name a node of the ledger's chain: --rpc-url http://…",
        )
    changes = {name: _changes(folder / JOURNAL) for name, folder in found.items()}
    newest = max(changes, key=lambda name: len(changes[name]))
    for name, known in changes.items():
        if changes[newest][: len(known)] != known:
            raise Conflict(
                "CHAINS_DIFFER",
                "Two of the journals belong to different chains, or to two continuations of one chain.",
                where=str(found[name] / JOURNAL),
                hint="Give the journal of the chain that backup and archive belong to, or leave out --chain.",
            )
    _copied(found[newest], home)
    return newest


def _copied(source: Path, home: Path) -> None:
    # If a crash cut off the last line, that line is left out. No confirmed act is lost, because the node had not yet
    # answered the request in that line.
    copy_private(source / JOURNAL, home / "chain" / JOURNAL, end_of_lines(source / JOURNAL))
    if (source / CLOCK).exists():
        copy_private(source / CLOCK, home / "chain" / CLOCK)


def _folder(given: Path) -> Path:
    for folder in (given, given / "chain"):
        if (folder / JOURNAL).is_file():
            return folder
    raise NotFound(
        "CHAIN_FOLDER_MISSING",
        "The folder contains no journal of a local chain.",
        where=str(given),
        hint=f"Give the folder `chain` of the old home, with {JOURNAL} and {CLOCK}.",
    )


@contextmanager
def _alone_with(folder: Path) -> Iterator[None]:
    """Hold the journal's lock, so that no node writes the journal. If a node is ending, wait until it has ended."""
    lock = folder / "journal.lock"
    if not lock.exists():
        yield
        return
    held, deadline = FileLock(lock), time.monotonic() + ENDING_SECONDS
    while not held.acquire():
        if time.monotonic() > deadline:
            raise Conflict(
                "CHAIN_RUNNING",
                "A node uses the journal of this chain.",
                where=str(folder),
                hint="End the program that started the node, then restore again.",
            )
        time.sleep(0.05)
    try:
        yield
    finally:
        held.release()


def _changes(journal: Path) -> list[tuple[Any, ...]]:
    """Return the requests in a journal that changed the chain, without the other parts of each line."""
    lines = journal.read_bytes().split(b"\n")[:-1]
    found = []
    for number, line in enumerate(lines, start=1):
        try:
            record: dict[str, Any] = json.loads(line)
            if "journal" not in record:
                found.append(tuple(record[name] for name in _CHANGE))
        except (ValueError, TypeError, KeyError) as error:
            raise Misconfigured(
                "JOURNAL_DAMAGED",
                f"Line {number} of the journal of the local chain is damaged.",
                where=str(journal),
                hint="Use another copy of the journal.",
                line=number,
            ) from error
    return found
