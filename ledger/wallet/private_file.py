"""Writes private files, such as keys and wallets.

Only the owner can read such a file; a failed change leaves the file as it was.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ledger.domain.disk import writing


def write_whole(path: Path, raw: bytes) -> None:
    """Replace the file at ``path`` with ``raw``, mode 600; a crash leaves either the old or the new file.

    Raises ``StorageFull`` ``DISK_FULL``, ``Misconfigured`` ``FILE_READ_ONLY``.
    """
    with writing(str(path)):
        _write_whole(path, raw)


def write_private(path: Path, text: str) -> None:
    """Write ``text`` to ``path`` as ``write_whole`` does, and create the folder with mode 700 if it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_whole(path, text.encode())


def _write_whole(path: Path, raw: bytes) -> None:
    # Create a new temporary file: it cannot overwrite another file, and its mode is 600 from the beginning.
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
def alone_in(folder: Path, *, wait: bool = True) -> Iterator[None]:
    """Lock the folder against other threads and processes while a file in the folder is read, changed and replaced.

    The folder is locked, because a lock on the file would be lost when the file is replaced. The system releases the
    folder's lock when the process ends. Without ``wait``, raises ``BlockingIOError`` if the folder is already locked.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Wait until the names of new files in the folder are on the disk, so that a power cut loses none of the files."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
