"""Which journal of a local chain a restore goes on with: the backup's, or a newer one that was saved by itself."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from ledger.chain.locking import FileLock
from ledger.errors import Conflict, Misconfigured, NotFound
from ledger.service.backup import CHAIN, copy_private, end_of_lines

JOURNAL, CLOCK = (Path(name).name for name in CHAIN)
ENDING_SECONDS: Final = 5
_CHANGE: Final = ("method", "params", "time")


def take_chain(backup: Path, given: Path | None, home: Path) -> str:
    """Copy the newer of the two chains into ``home``: ``backup`` is a backup's folder, ``given`` the folder ``chain``
    of a home, or the home. Returns which it was: ``backup`` or ``given``.

    Raises ``NotFound`` ``CHAIN_FOLDER_MISSING``; ``Conflict`` ``CHAIN_RUNNING`` where a node is at it, and
    ``CHAINS_DIFFER`` if neither goes on where the other ends; ``Misconfigured`` ``JOURNAL_DAMAGED``.
    """
    ours = backup / "chain" if (backup / "chain" / JOURNAL).exists() else None
    if given is None:
        return _copied(ours, home, "backup")
    with _alone_with(theirs := _folder(given)):
        return _newer(ours, theirs, home)


def _newer(ours: Path | None, theirs: Path, home: Path) -> str:
    if ours is None:
        return _copied(theirs, home, "given")
    one, other = _changes(ours / JOURNAL), _changes(theirs / JOURNAL)
    shorter = min(len(one), len(other))
    if one[:shorter] != other[:shorter]:
        raise Conflict(
            "CHAINS_DIFFER",
            "The journal that was given and the one of the backup are of two chains that went apart.",
            where=str(theirs / JOURNAL),
            hint="Give the journal of the chain that the backup was made on, or leave --chain out.",
        )
    newer = len(other) > len(one)
    return _copied(theirs if newer else ours, home, "given" if newer else "backup")


def _copied(source: Path | None, home: Path, which: str) -> str:
    if source is None:
        raise NotFound(
            "CHAIN_FOLDER_MISSING",
            "The backup holds no chain: the ledger's was elsewhere.",
            where="--rpc-url",
            hint="Name a node of its chain: --rpc-url http://…",
        )
    # What a crash left of a last line was never answered.
    copy_private(source / JOURNAL, home / "chain" / JOURNAL, end_of_lines(source / JOURNAL))
    if (source / CLOCK).exists():
        copy_private(source / CLOCK, home / "chain" / CLOCK)
    return which


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
