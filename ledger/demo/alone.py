"""Allows only one demonstration at a time, because two would act for the same parties and disturb each other."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ledger.errors import Conflict


@contextmanager
def alone_in(*folders: Path) -> Iterator[None]:
    """Lock the folders for the whole run; the system releases the locks when the process ends.

    The folders themselves are locked, so that no lock file is left in them. Raises ``Conflict`` ``DEMO_RUNNING`` if
    another demonstration has locked one.
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
