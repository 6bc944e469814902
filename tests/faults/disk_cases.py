"""Tests that run on a small disk: ``small_disk.run`` starts ``python -m tests.faults.disk_cases <case> <folder> …``."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine, select

from ledger.certificates.tables import Certificate
from ledger.chain.local.node import JOURNAL, LocalNode
from ledger.chain.rpc.connection import Connection
from ledger.cli.shell.opening import configure_logging
from ledger.errors import PingzhengError
from ledger.installation.recovery.backup import back_up
from ledger.installation.recovery.restoring import Sources, restore
from ledger.installation.wiring import Ledger
from tests.faults.acknowledged import Acts
from tests.faults.prepared_homes import Prepared, copied, opened, prepared_in, settings_of
from tests.support.machine.command_line import Answer, cli
from tests.support.machine.fault_counts import Tally
from tests.support.machine.small_disk import PAGE, SmallDisk, report

MEGABYTE: Final = 1024 * 1024
FULL: Final = ["DISK_FULL"]
READ_ONLY: Final = ["DATABASE_READ_ONLY", "HOME_READ_ONLY"]
EXIT_FULL: Final = 74
MOST_PAGES: Final = 200  # one act needs at most this many disk pages
STEP: Final = 2  # only every second number of pages is tried, because each try opens a ledger
LOGS: Final = 2  # SQLite creates this many files beside an open database
DIGITS: Final = 60  # a balance has at most this many digits; the length of a journal line depends on the digits


def code_of(act: Callable[[], Any]) -> str | None:
    """Do an act; return the error code if it was refused, or None if it was done."""
    try:
        act()
    except PingzhengError as error:
        return error.code
    except Exception as error:  # the product must raise only its own errors, so any other exception is reported
        return f"FOREIGN {type(error).__name__}: {error}"[:300]
    return None


class Balances:
    """Acts that write only to a journal. Each act gives a new account a balance. The number of digits of the balance
    sets the length of the journal line.
    """

    def __init__(self, node: LocalNode, journal: Path) -> None:
        self.connection, self._journal = Connection(node.url), journal
        self.given: dict[str, int] = {}
        self._tried = 0
        size = self.size
        assert self.give(1) is None
        self.shortest = self.size - size

    @property
    def size(self) -> int:
        return self._journal.stat().st_size

    def give(self, digits: int) -> str | None:
        """Do one act whose line is ``digits − 1`` bytes longer than the shortest line; return the act's error code, or
        None.
        """
        self._tried += 1
        account, wei = f"0x{self._tried:040x}", 16 ** (digits - 1)
        code = code_of(lambda: self.connection.ask("hardhat_setBalance", account, hex(wei)))
        if code is None:
            self.given[account] = wei
        elif self.balance(account):
            return "REFUSED_AND_DONE"
        return code

    def balance(self, account: str) -> int:
        return int(self.connection.ask("eth_getBalance", account, "latest"), 16)

    def leave_in_page(self, room: int) -> None:
        """Do acts until the journal's last page has room for exactly this many bytes."""
        gap = (-self.size - room) % PAGE
        while gap:
            lines = next((n for n in range(1, gap + 1) if self._reach(n, gap)), 0)
            if not lines:
                gap += PAGE
                continue
            longer = min(gap - lines * self.shortest, DIGITS)
            before = self.size
            assert self.give(1 + longer) is None
            gap -= self.size - before
        assert (-self.size) % PAGE == room % PAGE

    def _reach(self, lines: int, gap: int) -> bool:
        return lines * self.shortest <= gap <= lines * (self.shortest + DIGITS)


def journal_at_every_byte(folder: Path) -> Tally:
    """The journal's disk is full after 0, 1, 2, … bytes of a line. Then the act is refused, and the next act succeeds
    when there is room again.
    """
    tally, disk = Tally(), SmallDisk(folder / "disk", 4 * MEGABYTE)
    chain = disk.folder / "chain"
    with LocalNode(chain, program=JOURNAL, chain_id=4409) as node:
        acts = Balances(node, chain / "journal.jsonl")
        for room in range(acts.shortest):
            acts.leave_in_page(room)
            disk.leave(0)
            refusal = acts.give(1)
            tally.noticed(f"the journal's disk is full after {room} bytes of a line", [refusal or "DONE"], FULL)
            disk.empty()
            if (again := acts.give(1)) is not None:
                tally.lost.append(f"with room again: {again}")
    tally.acknowledged += list(acts.given)
    code = code_of(lambda: _read_again(chain, acts, tally))
    if code is not None:
        tally.lost += [f"{account}: the node does not start again, {code}" for account in acts.given]
    return tally


def _read_again(chain: Path, acts: Balances, tally: Tally) -> None:
    with LocalNode(chain, program=JOURNAL, chain_id=4409) as node:
        acts.connection = Connection(node.url)
        tally.lost += [account for account, wei in acts.given.items() if acts.balance(account) != wei]


def database_at_every_page(folder: Path, prepared: Prepared) -> Tally:
    """The database's disk is full after 0, 1, 2, … pages. Each act is refused until the space is enough."""
    tally, disk = Tally(), SmallDisk(folder / "disk", 16 * MEGABYTE)
    acts, home = Acts.of_late(prepared, tally), copied(prepared.late, folder / "home")
    database = disk.folder / "ledger.db"
    shutil.move(home / "ledger.db", database)
    with opened(home, database_url=f"sqlite:///{database}") as ledger:
        waiting, number = iter(prepared.waiting()), prepared.numbers[0]
        for name, act in _writing(acts, ledger, waiting).items():
            _at_every_page(tally, disk, ledger, name, act)
            if ledger.verification.public_status(number)["state"] != "active":
                tally.lost.append(number)
        acts.check(ledger)
    return tally


def _writing(acts: Acts, ledger: Ledger, waiting: Iterator[str]) -> dict[str, Callable[[], Any]]:
    """Return a map from a name to an act that writes. The caller repeats each act until it succeeds, and then the act
    must have been done exactly once.
    """
    first, ended, erased = next(waiting), next(waiting), next(waiting)
    gone = acts.issue(ledger, ended)
    return {
        "issue and anchor": lambda: acts.issue(ledger, first),
        "issue": lambda: acts.add(
            erased, ledger.usage.issuance.issue(ledger.actor(ledger.party), [erased])[0].certificate_no
        ),
        "anchor": ledger.anchoring.flush,
        "revoke": lambda: acts.end(ledger, gone),
        "follow the chain": ledger.follower.sync,
        "rebuild the index": ledger.follower.rebuild,
        "a nonce": ledger.verification.new_nonce,
    }


def _at_every_page(tally: Tally, disk: SmallDisk, ledger: Ledger, name: str, act: Callable[[], Any]) -> None:
    for pages in range(MOST_PAGES):
        _checkpoint(ledger.database.engine)
        disk.leave(pages)
        code = code_of(act)
        disk.empty()
        if code is None:
            return
        tally.noticed(f"the database's disk is full after {pages} pages: {name}", [code], FULL)
    tally.lost.append(f"{name}: not done with {MOST_PAGES} pages")


def _checkpoint(engine: Engine) -> None:
    """Empty the write-ahead log, so that the next act needs new disk pages for everything that it writes."""
    connection = engine.raw_connection()
    connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def home_page_by_page(folder: Path, prepared: Prepared) -> Tally:
    """The disk of the whole home is full after 0, 2, 4, … pages. The command is refused until the space is enough."""
    tally, disk = Tally(), SmallDisk(folder / "disk", 16 * MEGABYTE)
    acts, home = Acts.of_late(prepared, tally), copied(prepared.late, disk.folder / "home")
    request = prepared.waiting()[0]
    for pages in range(0, MOST_PAGES, STEP):
        disk.leave(pages)
        answer = cli(home, "certificate", "issue", request)
        disk.empty()
        if answer.exit_code == 0:
            acts.add(request, answer.printed["certificate_no"])
            break
        tally.noticed(f"the home's disk is full after {pages} pages: certificate issue", _codes_of(answer), FULL)
    with opened(home) as ledger:
        acts.check(ledger)
    return tally


def _codes_of(answer: Answer) -> list[str]:
    code = answer.code or "DONE"
    return [code if answer.exit_code == EXIT_FULL else f"{code}, exit code {answer.exit_code}"]


def inodes(folder: Path, prepared: Prepared) -> Tally:
    """The disk has free space, but no further file can be created on it."""
    tally, disk = Tally(), SmallDisk(folder / "disk", 16 * MEGABYTE, inodes=120)
    acts, home = Acts.of_late(prepared, tally), copied(prepared.late, disk.folder / "home")
    request = prepared.waiting()[0]
    for left in range(20):
        disk.leave_inodes(left)
        answer = cli(home, "certificate", "issue", request)
        disk.free_inodes()
        if answer.exit_code == 0:
            acts.add(request, answer.printed["certificate_no"])
            break
        # If SQLite cannot create its write-ahead log, SQLite's error does not say that the disk is full. So the command
        # may also report only that the database cannot be opened.
        expected = [*FULL, "DATABASE_UNREACHABLE, exit code 2"] if left < LOGS else FULL
        tally.noticed(f"{left} inodes are left: certificate issue", _codes_of(answer), expected)
    with opened(home) as ledger:
        acts.check(ledger)
    return tally


def backup(folder: Path, prepared: Prepared) -> Tally:
    """The disk for a backup and its keys is full. A refused backup leaves no files; a backup with enough
    room succeeds.
    """
    tally, disk = Tally(), SmallDisk(folder / "disk", 16 * MEGABYTE)
    acts, home = Acts.of_late(prepared, tally), copied(prepared.late, folder / "home")
    data, keys = disk.folder / "data", disk.folder / "keys"
    for pages in range(0, 1200, 60):
        disk.leave(pages)
        code = code_of(lambda: back_up(settings_of(home), data, keys))
        disk.empty()
        if code is None:
            break
        tally.noticed(f"the backup's disk is full after {pages} pages", [code], FULL)
        if left := list(disk.folder.iterdir()):
            tally.lost.append(f"a backup that was refused left {left}")
    restore(settings_of(folder / "again"), Sources(data, keys))
    with opened(folder / "again") as ledger:
        # Only the numbers of the certificates are compared. Sealed texts stay unreadable until a list of erasures is
        # given, and this home has no such list.
        tally.lost += [number for number in acts.issued.values() if number not in _numbers(ledger)]
    return tally


def _numbers(ledger: Ledger) -> set[str]:
    with ledger.database.read() as session:
        return set(session.scalars(select(Certificate.certificate_no)))


def archive(folder: Path, prepared: Prepared) -> Tally:
    """The archive's disk is full. A batch waits; when there is room again, it is archived and then anchored."""
    tally, disk = Tally(), SmallDisk(folder / "disk", 16 * MEGABYTE)
    acts, home = Acts.of_late(prepared, tally), copied(prepared.late, folder / "home")
    request = prepared.waiting()[0]
    with opened(home, archive=disk.folder) as ledger:
        for pages in range(0, 1200, 40):
            disk.leave(pages)
            code = code_of(partial(acts.issue, ledger, request))
            disk.empty()
            if code is None:
                break
            tally.noticed(f"the archive's disk is full after {pages} pages", [code], ["ARCHIVE_FULL"])
        acts.check(ledger)
    return tally


def keys(folder: Path, prepared: Prepared) -> Tally:
    """The disk of the key files is full. Existing keys remain, and a key that could not be stored is not
    acknowledged.
    """
    tally, disk = Tally(), SmallDisk(folder / "disk", 16 * MEGABYTE)
    acts, home = Acts.of_late(prepared, tally), copied(prepared.late, disk.folder / "home")
    with opened(home) as ledger:
        before = set(ledger.custody.accounts)
        for pages in range(MOST_PAGES):
            disk.leave(pages)
            code = code_of(partial(ledger.custody.create, 50))
            disk.empty()
            if code is None:
                break
            tally.noticed(f"the key files' disk is full after {pages} pages", [code], FULL)
    with opened(home) as ledger:
        tally.lost += sorted(before - set(ledger.custody.accounts))
        acts.check(ledger)
    return tally


@contextmanager
def only_reading(disk: SmallDisk) -> Iterator[None]:
    disk.read_only(True)
    yield
    disk.read_only(False)


def read_only(folder: Path, prepared: Prepared) -> Tally:
    """The disk with the whole home is made read-only, and later it can be written to again."""
    tally, disk = Tally(), SmallDisk(folder / "disk", 16 * MEGABYTE)
    acts, home = Acts.of_late(prepared, tally), copied(prepared.late, disk.folder / "home")
    request = prepared.waiting()[0]
    with only_reading(disk):
        for name in (("certificate", "issue", request), ("status",), ("certificate", "show", prepared.numbers[0])):
            answer = cli(home, *name)
            codes = [answer.code] if answer.code else []
            tally.noticed(
                f"the home is read-only: {' '.join(name[:2])}", codes, ["HOME_READ_ONLY", "DATABASE_READ_ONLY"]
            )
    with opened(home) as ledger:
        acts.issue(ledger, request)
        acts.check(ledger)
    return tally


CASES: Final[dict[str, Callable[..., Tally]]] = {
    case.__name__: case
    for case in (
        journal_at_every_byte,
        database_at_every_page,
        home_page_by_page,
        backup,
        archive,
        keys,
        inodes,
        read_only,
    )
}

if __name__ == "__main__":
    # Log lines go to standard error, because the test reads results from standard output.
    configure_logging()
    case, where, *homes = sys.argv[1:]
    counted = CASES[case](Path(where), *(prepared_in(Path(each)) for each in homes))
    report(counted, None)
