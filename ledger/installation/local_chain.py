"""Open the chain of a ledger: the chain that is configured, or a local chain in the home folder.

A local chain has its own clock file. The clock can start in the past and be moved forward, so that public notices and
deadlines end during a demonstration. Ledger and chain use the same clock.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ledger.chain.local.node import FUNDS_WEI, JOURNAL, LOCK_TIMEOUT_SECONDS, LocalNode
from ledger.chain.locking import FileLock
from ledger.chain.rpc.connection import Connection
from ledger.chain.rpc.journal_failure import on_disk
from ledger.errors import Conflict, InvalidInput, Misconfigured, PingzhengError
from ledger.installation.node_keeping import CHECK_SECONDS, NodeKeeper, small_json
from ledger.installation.settings import LOCK, Settings
from ledger.wallet.private_file import alone_in, write_private

# How many seconds the local chain's clock may differ from the machine's clock. The chain's time then still fits in the
# 40 bits in which the contracts store times.
MAX_AHEAD_SECONDS: Final = 2**39
_HEADER: Final = b'{"journal":'


@dataclass(frozen=True, slots=True)
class Chain:
    """An open chain: the network's name, the URL of a node, and the node object if this process started the node."""

    network: str
    url: str
    node: LocalNode | None

    def fund(self, account: str) -> None:
        """If this process runs the local chain, give the account money for gas; else do nothing."""
        if self.node is not None:
            self.node.fund(account)


class LocalClock:
    """The clock of the ledger in seconds UTC: the machine's clock, plus the seconds that the local chain is ahead."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._folder = settings.home / "chain"
        self._file = self._folder / "clock.json"
        self._journal = self._folder / "journal.jsonl"
        self._remote = settings.rpc_url is not None

    def __call__(self) -> int:
        return int(time.time()) + self.ahead

    @property
    def ahead(self) -> int:
        """How many seconds the chain's clock is ahead of the machine's clock; negative if the chain began in the past.

        Raises ``Misconfigured`` ``CLOCK_FILE_DAMAGED``, ``CLOCK_FILE_MISSING`` if the chain has no clock file, and
        ``FILE_REFUSED`` if the system does not let the file be read.
        """
        return 0 if self._remote else self._read()

    def begin(self, before: int) -> None:
        """Set the clock of a new chain ``before`` seconds behind the machine's clock; leave an existing clock
        unchanged.
        """
        if not self._remote and not self._file.exists() and not self._journal.exists():
            self._settings.make_home()
            self._set(-before)

    def settle(self) -> None:
        """Write the clock file of a new chain, or of an old chain that was made before clock files existed."""
        if not self._file.exists() and not _has_header(self._journal):
            self._set(0)

    def skip(self, connection: Connection, seconds: int) -> None:
        """Move the clock of ledger and chain forward by ``seconds``.

        If the chain refuses, for example because the disk is full, the clock is not moved. Raises ``Conflict``
        ``CLOCK_NOT_LOCAL``; ``InvalidInput`` ``CLOCK_BACKWARD``.
        """
        if self._remote:
            raise Conflict("CLOCK_NOT_LOCAL", "The chain is not local: its clock cannot be moved.", hint=None)
        if seconds <= 0:
            raise InvalidInput("CLOCK_BACKWARD", "The clock can only be moved forward.", where="seconds", hint=None)
        with alone_in(self._folder):
            before = self._read()
            self._set(before + seconds)
            try:
                connection.ask("pingzheng_setAhead", before + seconds)
                connection.ask("evm_mine")
            except PingzhengError:
                self._set(before)
                with suppress(PingzhengError):
                    connection.ask("pingzheng_setAhead", before)
                raise

    def set_clock(self, connection: Connection) -> None:
        """Set the clock of the running chain to the clock file.

        The chain's clock and the file differ if a program ended after it wrote the file and before it set the chain's
        clock.
        """
        with alone_in(self._folder):
            connection.ask("pingzheng_setAhead", self._read())

    def _read(self) -> int:
        try:
            ahead = small_json(self._file)["ahead"]
        except FileNotFoundError:
            if not self._journal.exists():
                return 0
            raise Misconfigured(
                "CLOCK_FILE_MISSING",
                "The clock file of the local chain is missing.",
                where=str(self._file),
                hint='Restore the file from the backup. If the clock was never moved, write {"ahead": 0} into it.',
            ) from None
        except (IsADirectoryError, InvalidInput, ValueError, TypeError, KeyError):
            ahead = None
        except OSError as error:
            # The file itself may be intact: for example, the process may have no file descriptor left. So the error
            # does not say that the file is damaged.
            where = str(self._file)
            raise Misconfigured(
                "FILE_REFUSED", f"The clock file of the local chain cannot be read: {error.strerror}.", where=where
            ) from error
        if type(ahead) is not int or abs(ahead) > MAX_AHEAD_SECONDS:
            raise Misconfigured(
                "CLOCK_FILE_DAMAGED",
                "The clock file of the local chain is damaged.",
                where=str(self._file),
                hint="Restore the file from the backup.",
            )
        return ahead

    def _set(self, ahead: int) -> None:
        write_private(self._file, json.dumps({"ahead": ahead}))


def _has_header(journal: Path) -> bool:
    """Return whether the journal begins with a header. Old journals have no header, and their chains have no clock
    file.
    """
    try:
        with journal.open("rb") as file:
            return file.read(len(_HEADER)) == _HEADER
    except FileNotFoundError:
        return False


def fund(settings: Settings, connection: Connection, account: str) -> None:
    """Give an account of the local chain money for gas; raises ``Conflict`` ``CHAIN_NOT_LOCAL``."""
    if settings.rpc_url is not None:
        raise Conflict("CHAIN_NOT_LOCAL", "The chain is not local and has its own currency.", hint=None)
    connection.ask("hardhat_setBalance", account, hex(FUNDS_WEI))


@contextmanager
def open_chain(settings: Settings, *, create: bool = False) -> Iterator[Chain]:
    """Open the configured chain, or the local chain.

    If another program runs the local node, that node is used. Otherwise this program starts a node, keeps it running,
    and stops it at the end. A new local chain is begun only if ``create`` is set. Call this function under
    ``one_at_a_time``, so that a second program uses the node of the first program. Raises the errors of ``NodeKeeper``.
    """
    if settings.rpc_url is not None:
        yield Chain("remote", settings.rpc_url, None)
        return
    folder, clock = settings.home / "chain", LocalClock(settings)
    with on_disk(folder):
        folder.mkdir(parents=True, exist_ok=True)
    if create or (folder / "journal.jsonl").exists():
        clock.settle()

    def make(port: int | None) -> LocalNode:
        chain_id = settings.local_chain_id
        return LocalNode(
            folder, program=JOURNAL, chain_id=chain_id, port=port, create=create, ahead=lambda: clock.ahead
        )

    opening = FileLock(settings.home / LOCK)
    try:
        with NodeKeeper(folder, make) as keeper:
            if keeper.node is None:
                clock.set_clock(Connection(keeper.url))
            try:
                yield Chain("local", keeper.url, keeper.node)
            finally:
                if keeper.node is not None:
                    _await(opening)
    finally:
        opening.release()


def _await(opening: FileLock) -> None:
    """Wait for a limited time while another program opens the ledger, because that program may need this program's
    node.
    """
    deadline = time.monotonic() + LOCK_TIMEOUT_SECONDS
    with suppress(OSError):
        while not opening.acquire() and time.monotonic() < deadline:
            time.sleep(CHECK_SECONDS)
