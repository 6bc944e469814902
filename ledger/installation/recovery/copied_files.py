"""Copy files so that only the owner can read the copy; copy a file of lines without an incomplete last line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from ledger.wallet.private_file import sync_folder

_PIECE: Final = 1 << 20
_TAIL: Final = 4096


def copy_private(source: Path, target: Path, length: int | None = None) -> None:
    """Copy a file, or its first ``length`` bytes, into a file that only its owner can read."""
    for folder in reversed([target.parent, *target.parent.parents]):
        # Folders are created one by one, because mkdir(parents=True) would ignore the mode for the parents.
        if not folder.exists():
            folder.mkdir(mode=0o700)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file, source.open("rb") as read:
        left = read.seek(0, os.SEEK_END) if length is None else length
        read.seek(0)
        while left and (piece := read.read(min(left, _PIECE))):
            file.write(piece)
            left -= len(piece)


def end_of_lines(path: Path) -> int:
    """Return the position, in bytes, of the end of the file's last complete line."""
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        while end:
            start = max(end - _PIECE, 0)
            file.seek(start)
            if (found := file.read(end - start).rfind(b"\n")) >= 0:
                return start + found + 1
            end = start
    return 0


def follow_lines(source: Path, copy: Path) -> None:
    """Append to ``copy`` the complete lines that were added to ``source``, and write them through to the disk.

    If the last bytes of ``copy`` differ from the bytes at the same place in ``source``, all of ``copy`` is replaced.
    """
    wanted = end_of_lines(source)
    have = end_of_lines(copy) if copy.exists() else -1
    if have == wanted == copy.stat().st_size if have >= 0 else False:
        return
    if have < 0 or have > wanted or _tail(source, have) != _tail(copy, have):
        draft = copy.with_name(f".{copy.name}.draft")
        draft.unlink(missing_ok=True)
        copy_private(source, draft, wanted)
        sync_file(draft)
        draft.replace(copy)
        sync_folder(copy.parent)
        return
    with copy.open("r+b") as file, source.open("rb") as read:
        file.truncate(have)
        file.seek(have)
        read.seek(have)
        while have < wanted and (piece := read.read(min(wanted - have, _PIECE))):
            file.write(piece)
            have += len(piece)
        file.flush()
        os.fsync(file.fileno())


def _tail(path: Path, end: int) -> bytes:
    with path.open("rb") as file:
        file.seek(max(end - _TAIL, 0))
        return file.read(min(end, _TAIL))


def sync_file(path: Path) -> None:
    """Write the file through to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
