"""A program that anchors with an archive and is killed at a named point, or fills the archive's disk.

Usage: ``python -m tests.installation.recovery.crashing_archive kill <home> <point>``; ``… full <home> <folder>``; and
``… small <origin> <folder>`` for a backup and a restore onto disks of every small size.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from ledger.chain.sending.client import ChainClient
from ledger.cli.shell.opening import configure_logging
from ledger.errors import StorageFull
from ledger.installation.recovery import archive
from ledger.installation.recovery.archive import Archive
from ledger.installation.recovery.backup import back_up
from ledger.installation.recovery.restoring import Sources, restore
from ledger.installation.settings import Settings
from ledger.installation.wiring import Ledger, open_ledger
from ledger.store import log
from tests.support.ledgers.small_ledger import batches
from tests.support.machine.killing import arm
from tests.support.machine.small_disk import SmallDisk

POINTS: dict[str, tuple[object, str, str]] = {
    "before the archive has the batch": (Archive, "keep", "before"),
    "in the transaction of the archive": (archive, "_put", "after"),
    "when the archive has the batch": (Archive, "keep", "after"),
    "when the block is known but not recorded": (ChainClient, "send", "after"),
}
PAGES = (0, 1, 2, 4, 8, 16, 32, 64)


def template(ledger: Ledger, number: int) -> None:
    """Append an entry that names no parties to the log."""
    with ledger.database.write() as session:
        entry = log.NewEntry.stored(json.dumps({"type": "template", "v": 2, "number": number}).encode())
        log.append(session, [entry], ledger.clock())


def killed(home: Path, point: str) -> None:
    """Anchor one entry, and kill this process at the given point."""
    with open_ledger(Settings(home=home, batch_age=0, batch_size=4)) as ledger:
        template(ledger, 0)
        arm(*POINTS[point])
        ledger.anchoring.flush()


def full(home: Path, folder: Path) -> dict[str, object]:
    """Anchor an entry for each amount of free space on the archive's disk; check that anchored entries are archived."""
    disk = SmallDisk(folder, 8 << 20)
    settings = Settings(home=home, batch_age=0, batch_size=4, archive=folder / "archive")
    refused, unarchived = 0, 0
    with open_ledger(settings) as ledger:
        issuer = ledger.installation.issuer
        # With the smallest amount of free space, not even the archive's file can be created.
        template(ledger, -2)
        disk.leave(0)
        refused += refusal(ledger.anchoring.flush)
        disk.empty()
        ledger.anchoring.flush()

        def anchored() -> int:
            return ledger.reader.batch_count(issuer)

        for number, pages in enumerate(PAGES):
            template(ledger, number)
            disk.leave(pages)
            refused += refusal(ledger.anchoring.flush)
            count = anchored()
            disk.empty()
            result = ledger.archiving.check()
            unarchived += max(count - int((result or {}).get("batches", 0)), 0)
        waiting = max(batches(ledger.database)) + 1 - anchored()
        ledger.anchoring.flush()
        result = ledger.archiving.check() or {}
        return {
            "refused": refused,
            "unarchived": unarchived,
            "waited": waiting,
            "anchored": anchored(),
            "batches": max(batches(ledger.database)) + 1,
            "archived": result["batches"],
            "ok": result["ok"],
        }


def refusal(attempt: Callable[[], object], code: str = "ARCHIVE_FULL") -> int:
    """Call ``attempt``. Return 1 if it raised ``code`` because the disk was full, and 0 if it succeeded; raise any
    other error.
    """
    try:
        attempt()
    except StorageFull as error:
        assert error.code == code, error
        return 1
    return 0


def small(origin: Path, folder: Path) -> dict[str, object]:
    """Back up and restore once for each amount of free space. Check that each attempt succeeds, or is refused and
    leaves no files.
    """
    disk = SmallDisk(folder, 16 << 20)
    result: dict[str, list[int]] = {"backup": [], "restore": []}
    sources = Sources(origin / "backup", origin / "keys", origin / "archive")
    for number, pages in enumerate((0, 2, 8, 32, 100, 200, 400, 800, 2_000)):
        data, keys, home = (folder / f"{name}-{number}" for name in ("data", "keys", "home"))
        acts: dict[str, Callable[[], object]] = {
            "backup": lambda data=data, keys=keys: back_up(Settings(home=origin / "home"), data, keys),
            "restore": lambda home=home: restore(Settings(home=home), sources),
        }
        for name, act in acts.items():
            disk.leave(pages)
            refused = refusal(act, "DISK_FULL")
            result[name].append(refused)
            disk.empty()
            left = sorted(path.name for path in folder.iterdir())
            assert refused == (left == []), (name, pages, left)
            for path in folder.iterdir():
                shutil.rmtree(path)
    return {**result}


if __name__ == "__main__":
    # Log lines go to standard error, because the test reads results from standard output.
    configure_logging()
    what, place, third = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    if what == "kill":
        killed(place, third)
    else:
        print(json.dumps({"full": full, "small": small}[what](place, Path(third))))
