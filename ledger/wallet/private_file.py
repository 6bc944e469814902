"""Files for their owner alone, such as keys and wallets: replaced whole, or left as they were."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ledger.domain.disk import writing


def write_whole(path: Path, raw: bytes) -> None:
    """Put ``raw`` in the place of ``path``, with mode 600: all of it, or nothing on a crash.

    Raises ``StorageFull`` ``DISK_FULL``, ``Misconfigured`` ``FILE_READ_ONLY``.
    """
    with writing(str(path)):
        _write_whole(path, raw)


def write_private(path: Path, text: str) -> None:
    """Write ``text`` to ``path`` with mode 600: all of it, or nothing on a crash."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_whole(path, text.encode())


def _write_whole(path: Path, raw: bytes) -> None:
    # A name of its own: no other file is written over, and its mode is that of a new one.
    descriptor, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """No other thread or process that asks for it is in the folder: for a file that is read, changed and replaced.

    The lock is the folder's own, so that it needs no file; the system ends it with the process.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Wait until the disk has the names of the files: a key that a record needs must not vanish in a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
