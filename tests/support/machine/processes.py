"""Finds and kills the local nodes of a folder."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path


def nodes_in(folder: Path) -> list[int]:
    """Return the process ids of the nodes that run in this folder."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit() and (entry / "cwd").readlink() == folder.resolve():
                found.append(int(entry.name))
    return found


def kill_nodes(folder: Path) -> None:
    """Kill the nodes of this folder at once, as a power cut would."""
    pids = nodes_in(folder)
    assert pids, "no node runs there"
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
