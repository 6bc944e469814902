"""The list of erasures. An older backup still contains text that was erased later. The list is kept outside the
backups, so that a restore can erase this text again.

Each line is the JSON of one erasure: the ledger, the time, the digests of the statements, the party's id if its
identity was erased, and the ids of the sealed records. The list contains no erased text and no name.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from errno import EDQUOT, ENOSPC
from pathlib import Path
from typing import Any, Final

from ledger.errors import Misconfigured, NotFound, StorageFull
from ledger.wallet.private_file import sync_folder

_MEMBERS: Final = {"ledger", "at", "targets", "party", "sealed"}


@dataclass(frozen=True, slots=True)
class ErasedText:
    """One erasure: digests of statements, ids of sealed records, and the id of ``party`` if its identity was erased."""

    at: int
    targets: tuple[str, ...]
    party: str | None
    sealed: tuple[str, ...]


class ErasuresFile:
    """Reads and writes the list of erasures. ``ledger`` is the ledger digest; lines of other ledgers are skipped."""

    def __init__(self, path: Path, ledger: str) -> None:
        self.path = path
        self._ledger = ledger

    def begin(self) -> None:
        """Create an empty list if there is no list; raises the errors of ``append``."""
        if not self.path.exists():
            try:
                self._write(b"")
            except OSError as error:
                raise _refused(error, self.path) from error

    def append(self, erased: ErasedText) -> None:
        """Add a line, and wait until it is on the disk.

        Raises ``StorageFull`` ``ERASURES_FULL``, ``Misconfigured`` ``ERASURES_UNWRITABLE``; after such an error the
        text must not be erased, because a restore would bring the text back.
        """
        line = {
            "ledger": self._ledger,
            "at": erased.at,
            "targets": list(erased.targets),
            "party": erased.party,
            "sealed": list(erased.sealed),
        }
        try:
            self._write(json.dumps(line).encode() + b"\n")
        except OSError as error:
            raise _refused(error, self.path) from error

    def read(self) -> list[ErasedText]:
        """Return all erasures of this ledger in order. If a crash cut off the last line, that line is skipped.

        Raises ``NotFound`` ``ERASURES_MISSING``; ``Misconfigured`` ``ERASURES_DAMAGED``, which names the line.
        """
        try:
            lines = self.path.read_bytes().split(b"\n")[:-1]
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
            raise NotFound(
                "ERASURES_MISSING",
                "The list of erasures is missing.",
                where=str(self.path),
                hint="Give erased.jsonl from the archive, or the file that PINGZHENG_ERASURES names. Without the list, "
                "restored texts stay unreadable until the erasures are confirmed.",
            ) from error
        read = [self._line(number, line) for number, line in enumerate(lines, start=1)]
        return [erased for erased in read if erased is not None]

    def _write(self, line: bytes) -> None:
        new = not self.path.exists()
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            end = os.fstat(descriptor).st_size
            whole = os.pread(descriptor, end, 0).rfind(b"\n") + 1
            os.ftruncate(descriptor, whole)
            try:
                _write_all(descriptor, line)
                os.fsync(descriptor)
            except OSError:
                os.ftruncate(descriptor, whole)
                raise
        finally:
            os.close(descriptor)
        if new:
            sync_folder(self.path.parent)

    def _line(self, number: int, line: bytes) -> ErasedText | None:
        try:
            read: dict[str, Any] = json.loads(line)
            if read.keys() != _MEMBERS:
                raise ValueError("other members")
            erased = ErasedText(int(read["at"]), _texts(read["targets"]), read["party"], _texts(read["sealed"]))
        except (ValueError, TypeError, AttributeError) as error:
            raise Misconfigured(
                "ERASURES_DAMAGED",
                f"Line {number} of the list of erasures cannot be read.",
                where=str(self.path),
                hint="Use an undamaged copy of the file; without the list, restored texts stay unreadable.",
                line=number,
            ) from error
        return erased if read["ledger"] == self._ledger else None


def _write_all(descriptor: int, raw: bytes) -> None:
    """Write all bytes. A single call of ``os.write`` might write only some of the bytes."""
    while raw:
        raw = raw[os.write(descriptor, raw) :]


def _texts(values: Iterable[str]) -> tuple[str, ...]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise ValueError("not a list of texts")
    return tuple(values)


def _refused(error: OSError, path: Path) -> StorageFull | Misconfigured:
    if error.errno in (ENOSPC, EDQUOT):
        return StorageFull(
            "ERASURES_FULL",
            "The disk with the list of erasures is full; nothing was erased.",
            where=str(path),
            hint="Free space on that disk and erase again.",
        )
    return Misconfigured(
        "ERASURES_UNWRITABLE",
        "The list of erasures cannot be written; nothing was erased.",
        where=str(path),
        hint="Check the disk and the permissions, or set PINGZHENG_ERASURES to another file, and erase again.",
    )
