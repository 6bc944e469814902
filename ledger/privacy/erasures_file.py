"""The list of what was erased, kept outside the backups: a backup of before still has the text.

One line of JSON for each erasure: the ledger, the time, the statements by digest, the party by its id where its
identity was erased, the sealed records by id. No text, no name.
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
    """What one erasure destroyed: statements by digest, sealed records by id; ``party`` where it was its identity."""

    at: int
    targets: tuple[str, ...]
    party: str | None
    sealed: tuple[str, ...]


class ErasuresFile:
    """The file, made with the first line. ``ledger`` is the ledger digest: lines of other ledgers are left out."""

    def __init__(self, path: Path, ledger: str) -> None:
        self.path = path
        self._ledger = ledger

    def begin(self) -> None:
        """Make an empty list unless there is one; raises as ``append``."""
        if not self.path.exists():
            try:
                self._write(b"")
            except OSError as error:
                raise _refused(error, self.path) from error

    def append(self, erased: ErasedText) -> None:
        """Add a line, on the disk when this returns.

        Raises ``StorageFull`` ``ERASURES_FULL``, ``Misconfigured`` ``ERASURES_UNWRITABLE``: what cannot be recorded
        outside the backups is not erased, because a restore would bring it back.
        """
        told = {
            "ledger": self._ledger,
            "at": erased.at,
            "targets": list(erased.targets),
            "party": erased.party,
            "sealed": list(erased.sealed),
        }
        try:
            self._write(json.dumps(told).encode() + b"\n")
        except OSError as error:
            raise _refused(error, self.path) from error

    def read(self) -> list[ErasedText]:
        """All erasures of this ledger in order; a last line that a crash cut off was never answered, and is left out.

        Raises ``NotFound`` ``ERASURES_MISSING``, ``Misconfigured`` ``ERASURES_DAMAGED`` naming the line.
        """
        try:
            lines = self.path.read_bytes().split(b"\n")[:-1]
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
            raise NotFound(
                "ERASURES_MISSING",
                "There is no list of erasures here.",
                where=str(self.path),
                hint="It is erased.jsonl in the archive, or where PINGZHENG_ERASURES put it. Without it, restored "
                "texts stay closed until they are confirmed.",
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
            told: dict[str, Any] = json.loads(line)
            if told.keys() != _MEMBERS:
                raise ValueError("another form")
            erased = ErasedText(int(told["at"]), _texts(told["targets"]), told["party"], _texts(told["sealed"]))
        except (ValueError, TypeError, AttributeError) as error:
            raise Misconfigured(
                "ERASURES_DAMAGED",
                f"Line {number} of the list of erasures cannot be read.",
                where=str(self.path),
                hint="Use a copy of the file that is whole; without it, restored texts stay closed.",
                line=number,
            ) from error
        return erased if told["ledger"] == self._ledger else None


def _write_all(descriptor: int, raw: bytes) -> None:
    """A write may be a short one."""
    while raw:
        raw = raw[os.write(descriptor, raw) :]


def _texts(values: Iterable[str]) -> tuple[str, ...]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise ValueError("a list of texts")
    return tuple(values)


def _refused(error: OSError, path: Path) -> StorageFull | Misconfigured:
    if error.errno in (ENOSPC, EDQUOT):
        return StorageFull(
            "ERASURES_FULL",
            "The disk with the list of erasures is full; nothing was erased.",
            where=str(path),
            hint="Make room there and erase again.",
        )
    return Misconfigured(
        "ERASURES_UNWRITABLE",
        "The list of erasures cannot be written; nothing was erased.",
        where=str(path),
        hint="Check the disk and the permissions, or name another file by PINGZHENG_ERASURES, and erase again.",
    )
