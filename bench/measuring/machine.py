"""The machine on which a run measures: its processor, memory, disk and versions, without its name."""

from __future__ import annotations

import os
import platform
import resource
import shutil
import sqlite3
import ssl
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

_LIBRARIES: Final = ("coincurve", "cryptography", "SQLAlchemy", "web3")
_KIB: Final = 1024


def machine(folder: Path) -> dict[str, Any]:
    """Return a description of the machine. The described disk is the disk with ``folder``."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "free_disk_gb": round(shutil.disk_usage(folder).free / 2**30),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "openssl": ssl.OPENSSL_VERSION.split(" ")[1],
        "libraries": {name: version(name) for name in _LIBRARIES},
    }


def load() -> float:
    """Return how many programs, on average, wanted a core in the last minute. If the number is above 1 before a run,
    the run measures times that are too long.
    """
    return round(os.getloadavg()[0], 2)


def memory_mb() -> int:
    """Return the most memory that this process has had at one time (RSS), in MB of 10^6 bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KIB // 1_000_000


def bytes_in(folder: Path) -> dict[str, int]:
    """Return the size of the ledger's database (with its write-ahead log) and of its local chain, in bytes."""
    database = sum(path.stat().st_size for path in folder.glob("ledger.db*"))
    chain = sum(path.stat().st_size for path in (folder / "chain").rglob("*") if path.is_file())
    return {"database": database, "chain": chain}


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or "unknown"
