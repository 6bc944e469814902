"""Allows only one demonstration at a time. Two demonstrations at the same time would act for the same parties and
disturb each other.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from ledger.errors import Conflict
from ledger.wallet import private_file


@contextmanager
def alone_in(*folders: Path) -> Iterator[None]:
    """Lock the folders until the run ends. The operating system releases the locks when the process ends.

    The folders themselves are locked, so that no lock file is left in them. Raises ``Conflict`` ``DEMO_RUNNING`` if
    another demonstration has locked one of the folders.
    """
    with ExitStack() as held:
        for folder in dict.fromkeys(folder.resolve() for folder in folders):
            folder.mkdir(parents=True, exist_ok=True)
            try:
                held.enter_context(private_file.alone_in(folder, wait=False))
            except BlockingIOError as busy:
                raise Conflict(
                    "DEMO_RUNNING",
                    "Another demonstration is running in this folder.",
                    where=str(folder),
                    hint="Wait until it has ended, or choose other folders: --home and --out.",
                ) from busy
        yield
