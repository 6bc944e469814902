"""A lock on a file, which the system ends with the last process that holds it."""

from __future__ import annotations

import errno
import fcntl
import os
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
        descriptor = self._open()
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

    def _open(self) -> int:
        try:
            return os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            if error.errno not in _READ_ONLY:
                raise
            # A chain on a disk that is mounted read-only can be read: its lock file is there already.
            if not self._path.exists():
                raise
            return os.open(self._path, os.O_RDONLY)
