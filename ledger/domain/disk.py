# SPDX-License-Identifier: Apache-2.0
"""Errors for a file that cannot be written, because the disk is full or the file is read-only."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from ledger.errors import Misconfigured, PingzhengError, StorageFull


def disk_full(where: str | None = None) -> StorageFull:
    """Return the error ``DISK_FULL``."""
    return StorageFull(
        "DISK_FULL",
        "The disk is full; nothing was written.",
        where=where,
        hint="Free some disk space, then try again. Reading still works meanwhile.",
    )


def write_failure(error: OSError, where: str) -> PingzhengError | None:
    """Return the error to raise if the cause is a full disk or a missing permission to write; None for other causes."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return disk_full(where)
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return Misconfigured(
            "FILE_READ_ONLY",
            f"The file or its folder cannot be written: {error.strerror}.",
            where=where,
            hint="Make the folder and its files writable for the user that runs this program.",
        )
    return None


@contextmanager
def writing(where: str) -> Iterator[None]:
    """If the block of code cannot write the file, raise ``StorageFull`` ``DISK_FULL`` or ``Misconfigured``
    ``FILE_READ_ONLY``.
    """
    try:
        yield
    except OSError as error:
        if (failure := write_failure(error, where)) is None:
            raise
        raise failure from error
