"""Turns the failures that a local node reports about its journal and its disk into errors of ``ledger.errors``."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from ledger.domain.disk import disk_full
from ledger.errors import ChainUnavailable, Incoherent, Misconfigured, PingzhengError

NOT_WRITTEN: Final = -32010
_FULL: Final = frozenset({"ENOSPC", "EDQUOT"})
_READ_ONLY: Final = frozenset({"EROFS", "EACCES", "EPERM"})
_CHANGED: Final = "ESTALE"
_UNUSABLE: Final = {
    "JOURNAL_DAMAGED": (
        "The journal of the local chain is damaged at line {line}.",
        "Restore the folder chain from the backup. The file was not changed, and nothing after that line was replayed. "
        "Without a backup, you can open a journal that has only the lines before it (`head -n {good}`): the ledger "
        "then reports what its chain lacks.",
    ),
    "JOURNAL_DIFFERS": (
        "The journal of the local chain is undamaged, but running it again gives other blocks from line {line} on.",
        "Use the version of Hardhat that wrote the journal. The first line of the journal names it; `npm ci` installs "
        "the version of this release.",
    ),
    "JOURNAL_OF_ANOTHER_CHAIN": (
        "The journal belongs to a chain with other settings.",
        "Set PINGZHENG_LOCAL_CHAIN_ID to the value in the journal's first line, or restore this ledger's folder chain.",
    ),
    "JOURNAL_MISSING": (
        "The journal of the local chain is missing. The journal contains the whole chain.",
        "Restore the folder chain from the backup. The ledger does not start a new chain in its place.",
    ),
}


def refused_by_journal(error: object, where: str) -> PingzhengError | None:
    """Return an error of ``ledger.errors`` if a JSON-RPC error says that the journal was not written, else None."""
    if not isinstance(error, Mapping) or error.get("code") != NOT_WRITTEN:
        return None
    data = error.get("data")
    return disk_failure(str(data.get("errno")) if isinstance(data, Mapping) else "", where)


@contextmanager
def on_disk(folder: Path) -> Iterator[None]:
    """If the block of code raises an OSError, raise instead the error that ``disk_failure`` returns."""
    try:
        yield
    except OSError as error:
        raise disk_failure(errno.errorcode.get(error.errno or 0, ""), str(folder)) from error


@contextmanager
def starting(folder: Path) -> Iterator[None]:
    """While a node starts, turn an OSError into ``NODE_START_FAILED``. The usual cause is that too many processes or
    files are open.
    """
    try:
        yield
    except OSError as error:
        raise ChainUnavailable(
            "NODE_START_FAILED",
            f"The local node did not start. The system says: {error.strerror}.",
            where=str(folder),
            hint="End other programs, or raise the limits: `ulimit -n` for open files, `ulimit -u` for processes.",
        ) from error


def disk_failure(name: str, where: str) -> PingzhengError:
    """Return the error to raise after a failed write. ``name`` is the system's name for the cause, such as ENOSPC."""
    if name in _FULL:
        return disk_full(where)
    if name in _READ_ONLY:
        return Misconfigured(
            "CHAIN_READ_ONLY",
            "The folder of the local chain, or a file in it, cannot be written.",
            where=where,
            hint="Check who owns the files, and that the disk is not mounted read-only. Reading still works.",
            errno=name,
        )
    if name == _CHANGED:
        return Incoherent(
            "JOURNAL_CHANGED",
            "Another program changed, replaced or removed the journal of the local chain while the chain ran.",
            where=where,
            hint="End the program that runs the chain, restore the folder `chain` from the backup, and start again.",
        )
    return ChainUnavailable(
        "JOURNAL_UNWRITABLE",
        "The journal of the local chain cannot be written to the disk.",
        where=where,
        hint="Check the disk; the system's log names the failure. Nothing was changed.",
        errno=name[:40],
    )


def unusable_journal(failed: Mapping[str, Any], where: str) -> PingzhengError | None:
    """Return the error to raise if a node ended because of its journal or its disk, else None.

    ``failed`` is the JSON object that the node printed after the word ``Failed``.
    """
    code, line = str(failed.get("code")), int(failed.get("line", 0))
    if code in _UNUSABLE:
        message, hint = (text.format(line=line, good=line - 1) for text in _UNUSABLE[code])
        facts = {"line": line} if line else {}
        return Misconfigured(code, message, where=where, hint=hint, reason=str(failed.get("message")), **facts)
    return disk_failure(code, where) if code.startswith("E") and code != "EADDRINUSE" else None
