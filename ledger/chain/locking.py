"""A lock on a file, which the system ends with the last process that holds it."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)


class FileLock:
    """Held from ``acquire`` to ``release``, or to the end of the last process that inherited ``descriptor``."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    @property
    def descriptor(self) -> int:
        if self._descriptor is None:
            raise ValueError("The lock is not held.")
        return self._descriptor

    def acquire(self) -> bool:
        """Whether the lock could be taken now. Raises OSError where there is no such file and none can be made."""
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
        """Let go, in this process; safe to call twice."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


def open_lock_file(path: Path) -> int:
    """A descriptor to lock. Raises OSError where there is no such file and none can be made."""
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        # What lies on a disk that is mounted read-only can be read: its lock file is there already.
        if error.errno not in _READ_ONLY or not path.exists():
            raise
        return os.open(path, os.O_RDONLY)


@contextmanager
def one_at_a_time(path: Path) -> Iterator[None]:
    """Wait until no other process is here. A lock on the file, which the system ends with the process that holds it."""
    descriptor = open_lock_file(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
