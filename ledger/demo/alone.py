"""One demonstration at a time: two that act for the same parties would stand in each other's way."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ledger.errors import Conflict


@contextmanager
def alone_in(*folders: Path) -> Iterator[None]:
    """Hold the folders for the whole run; the system lets go of them with the process, however it ends.

    The folders themselves are locked, so nothing is left in them. Raises ``Conflict`` ``DEMO_RUNNING`` if another
    demonstration holds one.
    """
    held: list[int] = []
    try:
        for folder in dict.fromkeys(folder.resolve() for folder in folders):
            folder.mkdir(parents=True, exist_ok=True)
            held.append(os.open(folder, os.O_RDONLY | os.O_DIRECTORY))
            _take(held[-1], folder)
        yield
    finally:
        for descriptor in held:
            os.close(descriptor)


def _take(descriptor: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as busy:
        raise Conflict(
            "DEMO_RUNNING",
            "Another demonstration is running in this folder.",
            where=str(folder),
            hint="Wait until it has ended, or choose other folders: --home and --out.",
        ) from busy
