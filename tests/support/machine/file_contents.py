"""Reads the files of an open ledger."""

from __future__ import annotations

import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path


def contents(folder: Path, pattern: str = "*") -> dict[Path, bytes]:
    """Return the content of every file below a folder, read by another process.

    The test's own process must not open and close a SQLite file: POSIX would release the locks that SQLite holds on the
    file in this process. The next process that closes the database would then delete the write-ahead log that the
    test's process still writes.
    """
    paths = [path for path in folder.rglob(pattern) if path.is_file()]
    return {path: subprocess.check_output(["cat", str(path)]) for path in paths}


def checkpoint(path: Path) -> None:
    """Write the write-ahead log of a SQLite database into the database's main file."""
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
