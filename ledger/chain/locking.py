"""Locks on files. The system releases a lock when the last process that has the lock ends."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)


class FileLock:
    """A lock on a file. ``acquire`` takes the lock, ``release`` gives it back.

    Child processes that inherit ``descriptor`` keep the lock too.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    @property
    def descriptor(self) -> int:
        """Return the descriptor of the locked file, which a child process can inherit.

        Raises ValueError if this object does not have the lock.
        """
        if self._descriptor is None:
            raise ValueError("The lock is not held.")
        return self._descriptor

    def acquire(self) -> bool:
        """Try to take the lock without waiting, and return whether it was taken.

        Raises OSError if the file does not exist and cannot be created.
        """
        descriptor = open_lock_file(self._path)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Release the lock in this process. A second call does nothing."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


def open_lock_file(path: Path) -> int:
    """Open a file for locking and return its descriptor.

    Raises OSError if the file does not exist and cannot be created.
    """
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        # On a read-only disk, an existing lock file can still be opened for reading, which is enough to lock the file.
        if error.errno not in _READ_ONLY or not path.exists():
            raise
        return os.open(path, os.O_RDONLY)


@contextmanager
def one_at_a_time(path: Path) -> Iterator[None]:
    """Wait until no process or thread has the lock on this file. Then take the lock and keep it during the block of
    code.
    """
    descriptor = open_lock_file(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
