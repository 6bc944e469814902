"""The list of a backup's files with their digests: written last, so that a folder without it is no backup."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from ledger.domain.canonical import canonical
from ledger.errors import Misconfigured, NotFound
from ledger.wallet.private_file import write_private

MANIFEST: Final = "manifest.json"
DATA: Final = "pingzheng-backup/1"
KEYS: Final = "pingzheng-backup-keys/1"
_PIECE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a folder of a backup holds. ``id`` is the same for data and keys that were written together.

    ``files`` are the digest (SHA-256, hex) and the size of each by its path within the folder; ``about`` says what is
    in them; ``made_at`` is seconds UTC.
    """

    format: str
    id: str
    ledger: str
    made_at: int
    about: dict[str, Any]
    files: dict[str, list[Any]]

    @classmethod
    def of(cls, folder: Path, kind: str, identifier: str, ledger: str, made_at: int, **about: Any) -> Manifest:
        """That of the files which lie in the folder now."""
        files = {name: [digest_of(folder / name), (folder / name).stat().st_size] for name in names_in(folder)}
        return cls(kind, identifier, ledger, made_at, about, files)

    @classmethod
    def read(cls, folder: Path, kind: str) -> Manifest:
        """The manifest, after all its files were compared with it.

        Raises ``NotFound`` ``BACKUP_MISSING``, ``Misconfigured`` ``BACKUP_DAMAGED`` naming the file.
        """
        try:
            told: dict[str, Any] = json.loads((folder / MANIFEST).read_bytes())
            total = told.pop("sum")
            manifest = cls(**told)
            whole = total == manifest._sum() and manifest.format == kind
        except (FileNotFoundError, NotADirectoryError) as error:
            raise _missing(folder, kind) from error
        except (ValueError, TypeError, KeyError, AttributeError):
            whole = False
        if not whole:
            raise damaged(folder / MANIFEST, "is not one of such a backup")
        manifest.check(folder)
        return manifest

    def check(self, folder: Path) -> None:
        """Compare the files with what is written here; raises ``Misconfigured`` ``BACKUP_DAMAGED`` naming the first."""
        for name, (digest, size) in self.files.items():
            path = folder / name
            if not path.is_file():
                raise damaged(path, "is missing")
            if path.stat().st_size != size or digest_of(path) != digest:
                raise damaged(path, "is not what was written")
        if more := sorted({*names_in(folder)} - {*self.files}):
            raise damaged(folder / more[0], "does not belong to it")

    def write(self, folder: Path) -> None:
        """Write it into the folder, on the disk when this returns."""
        write_private(folder / MANIFEST, json.dumps(asdict(self) | {"sum": self._sum()}, indent=1))

    def _sum(self) -> str:
        told: Mapping[str, Any] = asdict(self)
        return hashlib.sha256(canonical(told)).hexdigest()


def names_in(folder: Path) -> Iterator[str]:
    """The paths of all files in the folder but the manifest, in order."""
    found = (path for path in folder.rglob("*") if path.is_file() or path.is_symlink())
    return iter(sorted(str(path.relative_to(folder)) for path in found if path != folder / MANIFEST))


def digest_of(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    running = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            running.update(piece)
    return running.hexdigest()


def damaged(path: Path, how: str) -> Misconfigured:
    """A file of a backup that cannot be relied on."""
    return Misconfigured(
        "BACKUP_DAMAGED",
        f"The backup is damaged: {path.name} {how}.",
        where=str(path),
        hint="Use another copy of this backup, or the backup before it.",
    )


def _missing(folder: Path, kind: str) -> NotFound:
    return NotFound(
        "BACKUP_MISSING",
        "There is no backup of the keys here." if kind == KEYS else "There is no backup here.",
        where=str(folder),
        hint="Name the folder that `pingzheng backup` wrote: the data first, the keys by --keys.",
    )
