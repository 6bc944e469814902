"""Remove the remains of deleted data from an SQLite file, while other programs read and write it.

The remains are in two places. The write-ahead log keeps old pages until a checkpoint empties it. And when SQLite moves
a row to another page, a copy can stay in the gap of the old page (see ``page_gaps``). No new copy of deleted data can
appear, so the file is searched without a lock. Then the gaps of the found pages are cleared, a few pages at a time and
under the write lock. A page is cleared only while the log does not contain it: only then is the newest version of the
page in the file.
"""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from ledger.store import page_gaps

PAGES_AT_ONCE: Final = 64
"""The most pages whose gaps are cleared under one write lock."""

_TRY_AGAIN_SECONDS: Final = 0.05
_LOCK_MS: Final = 20
_WINDOW: Final = 8
_SHORT: Final = 64
_BLOCK: Final = 64
_MOST_OF_ROW: Final = 4096


def scrub(file: Path, remains: Sequence[bytes], timeout_ms: int, whole: Sequence[str] = ()) -> bool:
    """Remove ``remains`` (values that were deleted) from the file and its log, and return whether this succeeded.

    In the tables ``whole``, all gaps are cleared, because these tables may also contain copies of values that were
    deleted earlier. Without ``remains``, all gaps in the file are cleared. Returns False if other readers or writers
    were active for longer than ``timeout_ms``, or the file cannot be written. Then call the function again, without
    ``remains`` if the deleted values are no longer known.
    """
    try:
        with closing(_opened(file)) as connection:
            if not _log_emptied(connection, timeout_ms):
                return False
            with _Gaps(file) as gaps:
                found = gaps.find(pieces_of(remains), _roots(connection, whole))
                for start in range(0, len(found), PAGES_AT_ONCE):
                    some = found[start : start + PAGES_AT_ONCE]
                    if not _cleared(connection, gaps, some, timeout_ms):
                        return False
                if found:
                    gaps.flush()
    except (OSError, sqlite3.OperationalError):
        return False
    return True


def pieces_of(remains: Sequence[bytes]) -> list[bytes]:
    """Return short pieces of the values. The search looks for pieces, because a copy of a value may be half
    overwritten.

    Every remnant of at least nine bytes of a short value contains a piece. In a long value (an encrypted text), a piece
    begins at every 64th byte.
    """
    pieces: dict[bytes, None] = {}
    for text in remains:
        if len(text) <= _SHORT:
            starts, length = range(0, max(len(text) - _WINDOW, 0) + 1, 2), _WINDOW
        else:
            starts, length = range(0, min(len(text), _MOST_OF_ROW) - 2 * _WINDOW + 1, _BLOCK), 2 * _WINDOW
        pieces.update((text[start : start + length], None) for start in starts if text)
    return list(pieces)


def _opened(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None)


def _roots(connection: sqlite3.Connection, tables: Sequence[str]) -> list[int]:
    named = "SELECT rootpage FROM sqlite_schema WHERE type = 'table' AND name IN (SELECT value FROM json_each(?))"
    return [root for (root,) in connection.execute(named, (json.dumps(tables),))]


def _log_emptied(connection: sqlite3.Connection, timeout_ms: int) -> bool:
    """Write the log's pages into the file and empty the log. Return False if this did not succeed within
    ``timeout_ms``.

    The first checkpoint of each attempt blocks nobody. The second checkpoint blocks writers. It is short, because only
    the newest pages are left to write, and it waits at most ``_LOCK_MS`` for readers.
    """
    deadline = time.monotonic() + timeout_ms / 1000
    while True:
        connection.execute(f"PRAGMA busy_timeout={_LOCK_MS}")
        try:
            _, pages, written = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            if pages == written and not connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
                return True
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
        if time.monotonic() >= deadline:
            return False
        time.sleep(_TRY_AGAIN_SECONDS)


def _cleared(connection: sqlite3.Connection, gaps: _Gaps, pages: Sequence[int], timeout_ms: int) -> bool:
    """Clear the gaps of these pages. Return False if one of the pages stayed in the log for ``timeout_ms``."""
    deadline, left = time.monotonic() + timeout_ms / 1000, pages
    while left := gaps.clear(left, timeout_ms):
        if time.monotonic() >= deadline or not _log_emptied(connection, timeout_ms):
            return False
    return True


class _Gaps:
    """The program ``page_gaps``, which reads and clears the gaps of a file's pages."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def __enter__(self) -> Self:
        program = [sys.executable, "-I", "-S", page_gaps.__file__, str(self._file.absolute())]
        # The remains are sent through a pipe, because everybody on the machine can see a program's arguments.
        self._process = subprocess.Popen(  # noqa: S603 - our own program, and a path of our own
            program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()

    def find(self, pieces: Sequence[bytes], roots: Sequence[int]) -> list[int]:
        found: list[int] = self._ask({"find": [piece.hex() for piece in pieces], "roots": roots})
        return found

    def clear(self, pages: Sequence[int], timeout_ms: int) -> list[int]:
        """Clear the gaps of those pages that are not in the log; return the other pages."""
        left: list[int] = self._ask({"clear": pages, "timeout_ms": timeout_ms})
        return left

    def flush(self) -> None:
        self._ask({"flush": True})

    def _ask(self, asked: dict[str, Any]) -> Any:
        assert self._process.stdin is not None and self._process.stdout is not None  # noqa: S101 - both are pipes
        self._process.stdin.write(json.dumps(asked).encode() + b"\n")
        self._process.stdin.flush()
        if answer := self._process.stdout.readline():
            return json.loads(answer)
        raise ChildProcessError("the program that reads the pages ended")
