"""A disk of a few megabytes that a test can fill.

A separate program mounts the disk in its own mount namespace. No other process sees the disk, and the disk disappears
when the program ends. The machine must allow user namespaces, or the program needs the right to mount.
"""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest

from tests.support.machine.command_line import environment_of
from tests.support.machine.fault_counts import Tally
from tests.support.places import PROJECT

PAGE: Final = 4096
_NAMESPACES: Final = (["unshare", "-rm"], ["unshare", "-m"])


@cache
def _namespace() -> list[str]:
    """Return the command that gives a program its own mount namespace; fail if that is impossible."""
    tried = []
    for command in _NAMESPACES:
        mounts = [*command, "sh", "-c", "mount -t tmpfs -o size=64k tmpfs /mnt"]
        done = subprocess.run(mounts, capture_output=True, text=True, timeout=30, check=False)
        if done.returncode == 0:
            return command
        tried.append(f"{' '.join(command)}: {done.stderr.strip()}")
    pytest.fail("A small disk cannot be mounted here, neither as root nor in a user namespace. " + "; ".join(tried))


def run(module: str, case: str, tally: Tally, *arguments: str | Path, timeout: int = 200) -> Any:
    """Run the case ``case`` of a test module in a program that has its own disks. Add the program's counts to the
    tally, and return its result.
    """
    line = [*_namespace(), sys.executable, "-m", f"tests.faults.{module}", case, *map(str, arguments)]
    done = subprocess.run(
        line, cwd=PROJECT, env=environment_of({}), capture_output=True, text=True, timeout=timeout, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-6000:]
    outcome = json.loads(done.stdout.splitlines()[-1])
    tally.merge(outcome["tally"])
    return outcome["result"]


class SmallDisk:
    """A mounted disk. It exists only in a program that ``run`` started."""

    def __init__(self, folder: Path, size: int, inodes: int = 0) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"
        folder.mkdir(parents=True, exist_ok=True)
        self._mount(f"size={size},nr_inodes={inodes}")

    def _mount(self, options: str) -> None:
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self.folder)], check=True, timeout=30)

    def leave(self, pages: int) -> None:
        """Fill the disk until only this many pages are free."""
        free = self._free()
        with self._ballast.open("ab") as file:
            size = file.tell()
            if free > pages:
                os.posix_fallocate(file.fileno(), size, (free - pages) * PAGE)
            else:
                file.truncate(max(size - (pages - free) * PAGE, 0))
        assert self._free() == pages, (self._free(), pages)

    def empty(self) -> None:
        """Delete the file that fills the disk."""
        self._ballast.unlink(missing_ok=True)

    def _free(self) -> int:
        return os.statvfs(self.folder).f_bavail

    def leave_inodes(self, count: int) -> None:
        """Create empty files until only this many inodes are free."""
        number = 0
        while os.statvfs(self.folder).f_favail > count:
            (self.folder / f"inode-{number}").touch()
            number += 1

    def free_inodes(self) -> None:
        """Delete the empty files, so that their inodes are free again."""
        for path in self.folder.glob("inode-*"):
            path.unlink()

    def read_only(self, yes: bool) -> None:
        """Mount the disk read-only or writable. Mounting it read-only fails while a file is open for writing."""
        mode = "ro" if yes else "rw"
        subprocess.run(["mount", "-o", f"remount,{mode}", str(self.folder)], check=True, timeout=30)


def is_full(folder: Path) -> bool:
    """Return whether not even one page can be written."""
    try:
        (folder / "probe").write_bytes(b"x")
    except OSError as error:
        return error.errno == errno.ENOSPC
    finally:
        (folder / "probe").unlink(missing_ok=True)
    return False


def report(tally: Tally, result: object) -> None:
    """Print the result as the last line of a program started by ``run``."""
    outcome = {name: getattr(tally, name) for name in ("faults", "acknowledged", "lost", "twice", "unnoticed")}
    print(json.dumps({"tally": outcome, "result": result}), flush=True)
