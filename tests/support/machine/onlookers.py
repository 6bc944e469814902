"""Collects what other users of a machine can see of running programs: arguments and temporary files."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

SECONDS: Final = 0.02
_MOST_OF_A_FILE: Final = 8 << 20


class Watched:
    """What was seen of all processes that this process started: their arguments and temporary files."""

    def __init__(self, temporary: Path) -> None:
        self._temporary = temporary
        self._known: dict[Path, tuple[int, int]] = {}
        self.arguments: set[bytes] = set()
        self.temporary: set[bytes] = set()

    def look(self) -> None:
        self.arguments.update(filter(None, map(_arguments, _descendants(os.getpid()))))
        for folder, folders, files in os.walk(self._temporary):
            self.temporary.update(os.fsencode(name) for name in (*folders, *files))
            for name in files:
                self._read(Path(folder) / name)

    def _read(self, path: Path) -> None:
        """Read the file if it is new or changed; it may disappear at any moment."""
        with suppress(OSError):
            found = path.stat()
            state = (found.st_size, found.st_mtime_ns)
            if self._known.get(path) != state and path.is_file():
                with path.open("rb") as file:
                    self.temporary.add(file.read(_MOST_OF_A_FILE))
                self._known[path] = state


@contextmanager
def watched(temporary: Path) -> Iterator[Watched]:
    """Watch the processes until the ``with`` block ends. ``temporary`` is the folder for temporary files of the watched
    programs.
    """
    seen, over = Watched(temporary), threading.Event()

    def watch() -> None:
        while not over.wait(SECONDS):
            seen.look()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()
        seen.look()


def _descendants(ancestor: int) -> list[int]:
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError, IndexError, ValueError):
                # In /proc/PID/stat the process name stands in parentheses and may contain blanks. The second word after
                # the name is the parent's process id.
                stat = (entry / "stat").read_text("utf-8", "replace")
                parents[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
    found, pending = [], [ancestor]
    while pending:
        parent = pending.pop()
        children = [process for process, its in parents.items() if its == parent]
        found += children
        pending += children
    return found


def _arguments(process: int) -> bytes:
    with suppress(OSError):
        return Path("/proc", str(process), "cmdline").read_bytes()
    return b""
