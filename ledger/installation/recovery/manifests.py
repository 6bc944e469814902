"""The manifest lists a backup's files with their digests. The manifest is written last, so a folder with a manifest is
complete.
"""

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
    """The contents of a backup's folder. Data and keys that were written together have the same ``id``.

    ``files`` has for each path in the folder the file's digest (SHA-256, hex) and size. ``about`` describes the
    contents. ``made_at`` is in seconds UTC.
    """

    format: str
    id: str
    ledger: str
    made_at: int
    about: dict[str, Any]
    files: dict[str, list[Any]]

    @classmethod
    def of(cls, folder: Path, kind: str, identifier: str, ledger: str, made_at: int, **about: Any) -> Manifest:
        """Return the manifest of the files that are in the folder now."""
        files = {name: [digest_of(folder / name), (folder / name).stat().st_size] for name in names_in(folder)}
        return cls(kind, identifier, ledger, made_at, about, files)

    @classmethod
    def read(cls, folder: Path, kind: str) -> Manifest:
        """Read the manifest, and compare all files in the folder with the manifest.

        Raises ``NotFound`` ``BACKUP_MISSING``; ``Misconfigured`` ``BACKUP_DAMAGED``, which names the file.
        """
        try:
            members: dict[str, Any] = json.loads((folder / MANIFEST).read_bytes())
            total = members.pop("sum")
            manifest = cls(**members)
            whole = total == manifest._sum() and manifest.format == kind
        except (FileNotFoundError, NotADirectoryError) as error:
            raise _missing(folder, kind) from error
        except (ValueError, TypeError, KeyError, AttributeError):
            whole = False
        if not whole:
            raise damaged(folder / MANIFEST, "is not the manifest of such a backup")
        manifest.check(folder)
        return manifest

    def check(self, folder: Path) -> None:
        """Compare the files with the manifest; raises ``Misconfigured`` ``BACKUP_DAMAGED`` for the first difference."""
        for name, (digest, size) in self.files.items():
            path = folder / name
            if not path.is_file():
                raise damaged(path, "is missing")
            if path.stat().st_size != size or digest_of(path) != digest:
                raise damaged(path, "was changed")
        if more := sorted({*names_in(folder)} - {*self.files}):
            raise damaged(folder / more[0], "does not belong to the backup")

    def write(self, folder: Path) -> None:
        """Write the manifest into the folder, through to the disk."""
        write_private(folder / MANIFEST, json.dumps(asdict(self) | {"sum": self._sum()}, indent=1))

    def _sum(self) -> str:
        members: Mapping[str, Any] = asdict(self)
        return hashlib.sha256(canonical(members)).hexdigest()


def names_in(folder: Path) -> Iterator[str]:
    """Return the sorted paths of all files in the folder except the manifest."""
    found = (path for path in folder.rglob("*") if path.is_file() or path.is_symlink())
    return iter(sorted(str(path.relative_to(folder)) for path in found if path != folder / MANIFEST))


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file in hex."""
    running = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            running.update(piece)
    return running.hexdigest()


def damaged(path: Path, how: str) -> Misconfigured:
    """Return the error for a damaged file of a backup."""
    return Misconfigured(
        "BACKUP_DAMAGED",
        f"The backup is damaged: {path.name} {how}.",
        where=str(path),
        hint="Use another copy of this backup, or an earlier backup.",
    )


def _missing(folder: Path, kind: str) -> NotFound:
    return NotFound(
        "BACKUP_MISSING",
        "There is no backup of the keys here." if kind == KEYS else "There is no backup here.",
        where=str(folder),
        hint="Name the folders that `pingzheng backup` wrote: the data as the argument, the keys with --keys.",
    )
