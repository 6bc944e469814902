"""Reads the project's documents: code blocks, translations, and the commands in the blocks."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.support.places import PROJECT

# Matches a code block. A line before the block may name the file to which the block belongs.
BLOCK: Final = re.compile(r"(?:`(\S+)`:\n\n)?```(\w+)\n(.*?)```", re.DOTALL)
CHINESE: Final = ".zh.md"


@dataclass(frozen=True, slots=True)
class Block:
    """A code block: the file to write it to (empty if none), its language, and its text."""

    name: str
    kind: str
    body: str


def blocks(page: Path | str) -> list[Block]:
    """Return the code blocks of a page, which is given as a path or as text."""
    text = page.read_text("utf-8") if isinstance(page, Path) else page
    return [Block(*found) for found in BLOCK.findall(text)]


def commands(page: Path | str) -> list[str]:
    """Return the lines that a reader of the page runs in a shell."""
    return [line for block in blocks(page) if block.kind == "sh" for line in block.body.splitlines() if line.strip()]


def pages() -> list[Path]:
    """Return every document that Git tracks, or would add, sorted by path."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", "*.md"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [PROJECT / name for name in sorted(listed.stdout.split())]


def translations() -> Iterator[tuple[Path, Path]]:
    """Yield each Chinese page together with the English page that it translates."""
    for page in pages():
        if page.name.endswith(CHINESE):
            yield page, page.with_name(page.name.removesuffix(CHINESE) + ".md")


def name_of(page: Path) -> str:
    """Return the page's path relative to the project's root."""
    return page.relative_to(PROJECT).as_posix()
