"""What lies in the files of a ledger that is open."""

from __future__ import annotations

import subprocess
from pathlib import Path


def contents(folder: Path, pattern: str = "*") -> dict[Path, bytes]:
    """Every file below a folder, read by another process.

    Were a file of SQLite's opened and closed in this one, the locks that SQLite has on it here would be gone (POSIX):
    the next process that closes the database would take away the log that this one writes to.
    """
    paths = [path for path in folder.rglob(pattern) if path.is_file()]
    return {path: subprocess.check_output(["cat", str(path)]) for path in paths}
