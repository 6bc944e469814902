"""A disk of a few megabytes, to be full where a test wants it to be.

A program of this suite is started in a mount namespace of its own and mounts it there: nobody else sees it, and it is
gone with the program. Needs either user namespaces or the right to mount.
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
    """The command that gives a program a mount namespace of its own; fails where there is no way to."""
    tried = []
    for command in _NAMESPACES:
        mounts = [*command, "sh", "-c", "mount -t tmpfs -o size=64k tmpfs /mnt"]
        done = subprocess.run(mounts, capture_output=True, text=True, timeout=30, check=False)
        if done.returncode == 0:
            return command
        tried.append(f"{' '.join(command)}: {done.stderr.strip()}")
    pytest.fail("A small disk cannot be mounted here, neither as root nor in a user namespace. " + "; ".join(tried))


def run(module: str, case: str, tally: Tally, *arguments: str | Path, timeout: int = 200) -> Any:
    """Run a case of a module of this package with disks of its own: count what it counted, return what it returned."""
    line = [*_namespace(), sys.executable, "-m", f"tests.faults.{module}", case, *map(str, arguments)]
    done = subprocess.run(
        line, cwd=PROJECT, env=environment_of({}), capture_output=True, text=True, timeout=timeout, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-6000:]
    told = json.loads(done.stdout.splitlines()[-1])
    tally.merge(told["tally"])
    return told["result"]


class SmallDisk:
    """A mounted disk; only in a program that ``run`` started."""

    def __init__(self, folder: Path, size: int, inodes: int = 0) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"
        folder.mkdir(parents=True, exist_ok=True)
        self._mount(f"size={size},nr_inodes={inodes}")

    def _mount(self, options: str) -> None:
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self.folder)], check=True, timeout=30)

    def leave(self, pages: int) -> None:
        """Fill the disk but for so many pages."""
        free = self._free()
        with self._ballast.open("ab") as file:
            size = file.tell()
            if free > pages:
                os.posix_fallocate(file.fileno(), size, (free - pages) * PAGE)
            else:
                file.truncate(max(size - (pages - free) * PAGE, 0))
        assert self._free() == pages, (self._free(), pages)

    def empty(self) -> None:
        """Take the ballast away."""
        self._ballast.unlink(missing_ok=True)

    def _free(self) -> int:
        return os.statvfs(self.folder).f_bavail

    def leave_inodes(self, count: int) -> None:
        """Use up the inodes but for so many."""
        number = 0
        while os.statvfs(self.folder).f_favail > count:
            (self.folder / f"inode-{number}").touch()
            number += 1

    def free_inodes(self) -> None:
        """Give the inodes back."""
        for path in self.folder.glob("inode-*"):
            path.unlink()

    def read_only(self, yes: bool) -> None:
        """Remount it so that nothing can be written, or that it can again; the second raises if a file is open."""
        mode = "ro" if yes else "rw"
        subprocess.run(["mount", "-o", f"remount,{mode}", str(self.folder)], check=True, timeout=30)


def is_full(folder: Path) -> bool:
    """Whether not one more page can be written."""
    try:
        (folder / "probe").write_bytes(b"x")
    except OSError as error:
        return error.errno == errno.ENOSPC
    finally:
        (folder / "probe").unlink(missing_ok=True)
    return False


def report(tally: Tally, result: object) -> None:
    """The last line of a program that ``run`` started."""
    told = {name: getattr(tally, name) for name in ("faults", "acknowledged", "lost", "twice", "unnoticed")}
    print(json.dumps({"tally": told, "result": result}), flush=True)
