"""What a local chain's node reports about its journal and its disk, as our own errors."""

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
        "Restore the folder chain from the backup: nothing was replayed past that line, and the file is as it was. If "
        "there is no backup, a journal of the lines before it alone can be opened (`head -n {good}`): the ledger then "
        "reports what its chain no longer holds.",
    ),
    "JOURNAL_DIFFERS": (
        "The journal of the local chain is whole, but running it again gives other blocks from line {line} on.",
        "Use the version of Hardhat that wrote it: the journal's first line names it (`npm ci` installs the one of "
        "this release).",
    ),
    "JOURNAL_OF_ANOTHER_CHAIN": (
        "The journal belongs to a chain with other settings.",
        "Set PINGZHENG_LOCAL_CHAIN_ID as the journal's first line says, or restore the folder chain of this ledger.",
    ),
    "JOURNAL_MISSING": (
        "The journal of the local chain is missing: it is the chain.",
        "Restore the folder chain from the backup. The ledger does not begin another chain in its place.",
    ),
}


def refused_by_journal(error: object, where: str) -> PingzhengError | None:
    """The error behind a JSON-RPC error object, if it says that a change could not be written to the journal."""
    if not isinstance(error, Mapping) or error.get("code") != NOT_WRITTEN:
        return None
    data = error.get("data")
    return disk_failure(str(data.get("errno")) if isinstance(data, Mapping) else "", where)


@contextmanager
def on_disk(folder: Path) -> Iterator[None]:
    """Raise what the disk refuses as ``disk_failure``."""
    try:
        yield
    except OSError as error:
        raise disk_failure(errno.errorcode.get(error.errno or 0, ""), str(folder)) from error


@contextmanager
def starting(folder: Path) -> Iterator[None]:
    """Raise ``NODE_START_FAILED`` where the system has no process or no open file to spare."""
    try:
        yield
    except OSError as error:
        raise ChainUnavailable(
            "NODE_START_FAILED",
            f"The local node did not start. The system says: {error.strerror}.",
            where=str(folder),
            hint="End other programs, or raise the limits of this one: `ulimit -n` for open files, `ulimit -u`.",
        ) from error


def disk_failure(name: str, where: str) -> PingzhengError:
    """The error for what the system calls ``name``, such as ENOSPC; nothing was changed."""
    if name in _FULL:
        return disk_full(where)
    if name in _READ_ONLY:
        return Misconfigured(
            "CHAIN_READ_ONLY",
            "The folder of the local chain, or a file in it, may not be written.",
            where=where,
            hint="Check who owns them and that the disk is not mounted read-only; reading goes on.",
            errno=name,
        )
    if name == _CHANGED:
        return Incoherent(
            "JOURNAL_CHANGED",
            "Another program changed, replaced or removed the journal of the local chain while the chain ran.",
            where=where,
            hint="End the program that runs the chain, restore the folder chain from the backup, and start it again.",
        )
    return ChainUnavailable(
        "JOURNAL_UNWRITABLE",
        "The disk refuses the journal of the local chain.",
        where=where,
        hint="Check the disk: the system's log says what failed. Nothing was changed.",
        errno=name[:40],
    )


def unusable_journal(said: Mapping[str, Any], where: str) -> PingzhengError | None:
    """The error for what a node said when it ended at its journal or its disk, else None."""
    code, line = str(said.get("code")), int(said.get("line", 0))
    if code in _UNUSABLE:
        message, hint = (text.format(line=line, good=line - 1) for text in _UNUSABLE[code])
        facts = {"line": line} if line else {}
        return Misconfigured(code, message, where=where, hint=hint, reason=str(said.get("message")), **facts)
    return disk_failure(code, where) if code.startswith("E") and code != "EADDRINUSE" else None
