"""The project's documents: their blocks, their translations, and the commands in them."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.support.places import PROJECT

# A block of code, with the name of its file if the line before it gives one.
BLOCK: Final = re.compile(r"(?:`(\S+)`:\n\n)?```(\w+)\n(.*?)```", re.DOTALL)
CHINESE: Final = ".zh.md"


@dataclass(frozen=True, slots=True)
class Block:
    """A block of code: the file it belongs into, or an empty name; its language; its text."""

    name: str
    kind: str
    body: str


def blocks(page: Path | str) -> list[Block]:
    """Return the blocks of code of a page, or of its text."""
    text = page.read_text("utf-8") if isinstance(page, Path) else page
    return [Block(*found) for found in BLOCK.findall(text)]


def commands(page: Path | str) -> list[str]:
    """Return the lines that a reader of the page runs in a shell."""
    return [line for block in blocks(page) if block.kind == "sh" for line in block.body.splitlines() if line.strip()]


def pages() -> list[Path]:
    """Return every document that Git tracks or is about to track, sorted."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", "*.md"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [PROJECT / name for name in sorted(listed.stdout.split())]


def translations() -> Iterator[tuple[Path, Path]]:
    """Yield each page in Chinese with the page that it translates."""
    for page in pages():
        if page.name.endswith(CHINESE):
            yield page, page.with_name(page.name.removesuffix(CHINESE) + ".md")


def name_of(page: Path) -> str:
    """Return the page's path in the project."""
    return page.relative_to(PROJECT).as_posix()
