"""Lists the files of a home folder, and the ways in which a test loses or damages a file."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

Damage = Callable[[Path], None]


def _lost(path: Path) -> None:
    path.unlink()


def _emptied(path: Path) -> None:
    path.write_bytes(b"")


def _halved(path: Path) -> None:
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) // 2])


def _overwritten(path: Path) -> None:
    """Overwrite the content of the file but keep its length, as a failing disk does."""
    path.write_bytes(b"\xff" * len(path.read_bytes()))


def _flipped(path: Path) -> None:
    """Flip one bit of the byte in the middle of the file."""
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 0x01
    path.write_bytes(bytes(raw))


def _replaced(path: Path) -> None:
    path.write_text("a file of somebody else\n", "utf-8")


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGES: Final[dict[str, Damage]] = {
    "lost": _lost,
    "emptied": _emptied,
    "halved": _halved,
    "overwritten": _overwritten,
    "flipped": _flipped,
    "replaced": _replaced,
    "a folder": _folder,
}


def files_of(home: Path) -> list[str]:
    """Return the files of a home, as paths relative to it."""
    return sorted(str(path.relative_to(home)) for path in home.rglob("*") if path.is_file())


def put_back(home: Path, name: str, original: Path) -> None:
    """Repair the damage: restore the file, whatever is now in its place."""
    path = home / name
    if path.is_dir():
        shutil.rmtree(path)
    shutil.copy2(original / name, path)
