"""Why a file could not be written, in the words of ``ledger.errors``: a full disk, a place that is read-only."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from ledger.errors import Misconfigured, PingzhengError, StorageFull


def disk_full(where: str | None = None) -> StorageFull:
    """No room for what was to be written."""
    return StorageFull(
        "DISK_FULL",
        "There is no room on the disk; nothing of what was asked for was written.",
        where=where,
        hint="Make room on the disk, then do it again. Reading goes on meanwhile.",
    )


def write_failure(error: OSError, where: str) -> PingzhengError | None:
    """What the system's error means for a file of ours; None for what is about neither the disk nor its rights."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return disk_full(where)
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return Misconfigured(
            "FILE_READ_ONLY",
            f"The file or its folder cannot be written: {error.strerror}.",
            where=where,
            hint="Give the folder and its files to the user that runs this program, on a disk that can be written.",
        )
    return None


@contextmanager
def writing(where: str) -> Iterator[None]:
    """Raise ``StorageFull`` ``DISK_FULL`` or ``Misconfigured`` ``FILE_READ_ONLY`` for what stops a file of ours."""
    try:
        yield
    except OSError as error:
        if (failure := write_failure(error, where)) is None:
            raise
        raise failure from error
