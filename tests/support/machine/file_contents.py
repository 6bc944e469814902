"""What lies in the files of a ledger that is open."""

from __future__ import annotations

import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path


def contents(folder: Path, pattern: str = "*") -> dict[Path, bytes]:
    """Every file below a folder, read by another process.

    Were a file of SQLite's opened and closed in this one, the locks that SQLite has on it here would be gone (POSIX):
    the next process that closes the database would take away the log that this one writes to.
    """
    paths = [path for path in folder.rglob(pattern) if path.is_file()]
    return {path: subprocess.check_output(["cat", str(path)]) for path in paths}


def checkpoint(path: Path) -> None:
    """Bring what a database of SQLite's keeps beside its file into that file."""
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
