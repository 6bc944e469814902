"""Find and clear the unused parts of an SQLite file's pages. ``scrubbing`` runs this file as a program of its own.

When SQLite moves a row to another page, a copy of the row can stay in the page's unused part (its gap), in spite of
``secure_delete``. SQLite never reads a gap. The layout of a page is part of SQLite's file format
(https://www.sqlite.org/fileformat2.html, section 1.6).

When a process closes a file, it loses all its locks on the file, even those that SQLite took. Therefore this program
runs in a process of its own, and never closes the file. It takes the write lock itself, so that the lock stays until
the gaps are cleared even if the program that started this program ends. It imports only the standard library, so that
it starts fast.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

_BLOCK: Final = 4 * 1024 * 1024
_FEW_PIECES: Final = 200
# The numbers of the kinds of pages that have cells, each with the position at which a page's list of cells begins.
_CELLS_AT: Final = {2: 12, 5: 12, 10: 8, 13: 8}
# In a page of these kinds, each cell begins with the number of a child page, and the number of the last child page
# stands at byte 8.
_WITH_CHILDREN: Final = {2, 5}
# A page without cells begins with the number of a page. If a file has fewer pages than this, the first byte of such a
# number is never the number of a kind with cells, so the first byte of a page shows whether the page has cells.
_MOST_PAGES: Final = 2 << 24


class UnknownLayout(Exception):
    """Raised if the file has a layout that this program does not know; no page is changed then."""


def page_layout(file: int) -> tuple[int, int]:
    """Return the size of a page, and the size of the part of a page that SQLite uses; raises ``UnknownLayout``."""
    header = os.pread(file, 100, 0)
    if len(header) < 100 or not header.startswith(b"SQLite format 3\0"):
        raise UnknownLayout
    size = int.from_bytes(header[16:18], "big")
    size = 65_536 if size == 1 else size
    with_page_map = any(header[52:56])
    if with_page_map or os.fstat(file).st_size // size >= _MOST_PAGES:
        raise UnknownLayout
    return size, size - header[20]


def gap_of(page: bytes | memoryview, usable: int) -> tuple[int, int]:
    """Return where the page's gap begins and ends; both are 0 if the page has no cells."""
    list_at = _CELLS_AT.get(page[0])
    if list_at is None:
        return 0, 0
    begin = list_at + 2 * (page[3] << 8 | page[4])
    end = page[5] << 8 | page[6] or 65_536
    return (begin, end) if begin <= end <= usable else (0, 0)


def pages_of(file: int, roots: Sequence[int]) -> set[int]:
    """Return the numbers of all pages of the tables whose first pages are ``roots``."""
    size, usable = page_layout(file)
    found: set[int] = set()
    ahead = list(roots)
    while ahead:
        number = ahead.pop()
        if number in found or number < 1:
            continue
        found.add(number)
        page = os.pread(file, size, (number - 1) * size)
        if len(page) == size and page[0] in _WITH_CHILDREN:
            begin, _ = gap_of(page, usable)
            cells = (int.from_bytes(page[at : at + 2], "big") for at in range(12, begin, 2))
            ahead += [int.from_bytes(page[at : at + 4], "big") for at in (8, *cells)]
    return found


def search_for(pieces: Sequence[bytes]) -> Callable[[bytes], bool]:
    """Return a function that says whether a text contains one of the pieces.

    If there are many pieces, they are not searched for one by one, so the time depends only on the length of the text.
    """
    if len(pieces) <= _FEW_PIECES:
        return lambda text: any(piece in text for piece in pieces)
    of_length: dict[int, set[bytes]] = {}
    for piece in pieces:
        of_length.setdefault(len(piece), set()).add(piece)
    return lambda text: any(
        not known.isdisjoint(text[at : at + length] for at in range(len(text) - length + 1))
        for length, known in of_length.items()
    )


def pages_with(file: int, pieces: Sequence[bytes], roots: Sequence[int] = ()) -> Iterator[int]:
    """Yield the numbers of the pages whose gap contains one of the pieces. Without pieces, yield those whose gap is not
    empty.

    For the tables whose first pages are ``roots``, also yield all pages whose gap is not empty. The first page of the
    file is left out, because it contains only the schema.
    """
    size, usable = page_layout(file)
    whole, contains_piece = pages_of(file, roots), search_for(pieces)
    step = max(_BLOCK // size, 1)
    number = 0
    while block := os.pread(file, step * size, number * size):
        for start in range(0, len(block) - size + 1, size):
            number += 1
            if block[start] not in _CELLS_AT or number == 1:
                continue
            begin, end = gap_of(block[start : start + 12], usable)
            if block.count(0, start + begin, start + end) == end - begin:
                continue
            gap = block[start + begin : start + end]
            if not pieces or number in whole or contains_piece(gap):
                yield number
        if len(block) < step * size:
            return


def pages_in_log(path: str, size: int) -> list[int]:
    """Return the numbers of the pages of which the write-ahead log contains a version, even an outdated version.

    The log has a header of 32 bytes, and 24 bytes before each page (https://www.sqlite.org/fileformat2.html, section
    4.1).
    """
    try:
        log = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return []
    try:
        places = range(32, os.fstat(log).st_size, 24 + size)
        return sorted({int.from_bytes(os.pread(log, 4, at), "big") for at in places})
    finally:
        os.close(log)


def clear(file: int, numbers: Sequence[int]) -> None:
    """Overwrite the gaps of these pages with zeros. No other program may write these pages meanwhile.

    Raises ``UnknownLayout`` if one of these pages has a cell in its gap.
    """
    size, usable = page_layout(file)
    for number in numbers:
        page = os.pread(file, size, (number - 1) * size)
        begin, end = gap_of(page, usable)
        cells = range(_CELLS_AT.get(page[0], 0), begin, 2)
        if any(int.from_bytes(page[at : at + 2], "big") < end for at in cells):
            raise UnknownLayout
        os.pwrite(file, bytes(end - begin), (number - 1) * size + begin)


def clear_unlogged(
    path: str, file: int, connection: sqlite3.Connection, numbers: Sequence[int], timeout_ms: int
) -> list[int]:
    """Overwrite the gaps of those pages that are not in the log, under the write lock; return the other pages.

    Raises ``sqlite3.OperationalError`` if another program has the write lock for ``timeout_ms``.
    """
    with _write_lock(connection, timeout_ms):
        # Another program may have written pages into the log since the log was emptied. Only pages that are not in the
        # log can be cleared, because the newest version of such a page is in the file.
        logged = set(pages_in_log(f"{path}-wal", page_layout(file)[0]))
        clear(file, [number for number in numbers if number not in logged])
        # A change of user_version makes all other connections forget the pages that they have in memory. Otherwise they
        # could write an old gap back.
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        connection.execute(f"PRAGMA user_version={(version + 1) % 2**31}")
    return [number for number in numbers if number in logged]


@contextmanager
def _write_lock(connection: sqlite3.Connection, timeout_ms: int) -> Iterator[None]:
    connection.execute(f"PRAGMA busy_timeout={timeout_ms}")
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _answer(path: str, file: int, connection: sqlite3.Connection, asked: dict[str, Any]) -> Any:
    if "clear" in asked:
        return clear_unlogged(path, file, connection, asked["clear"], asked["timeout_ms"])
    if "find" in asked:
        return list(pages_with(file, [bytes.fromhex(piece) for piece in asked["find"]], asked["roots"]))
    return os.fsync(file)


def main(path: str) -> None:
    """Answer each line (JSON) of standard input with one line (JSON) on standard output."""
    file = os.open(path, os.O_RDWR)
    # A new connection has no pages in its cache, so it cannot write an old gap back.
    connection = sqlite3.connect(path, isolation_level=None)
    for line in sys.stdin:
        print(json.dumps(_answer(path, file, connection, json.loads(line))), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
