"""Which chain this ledger talks to: the configured one, or a local one kept in its home folder.

A local chain has a clock of its own, kept beside it: it can begin in the past and be moved forward, so that public
notices and deadlines run out within a demonstration. Ledger and chain read the same clock.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ledger.chain.local.node import FUNDS_WEI, JOURNAL, LocalNode
from ledger.chain.rpc.connection import Connection
from ledger.chain.rpc.journal_failure import on_disk
from ledger.errors import Conflict, InvalidInput, Misconfigured, PingzhengError
from ledger.installation.node_keeping import NodeKeeper, small_json
from ledger.installation.settings import Settings
from ledger.wallet.private_file import alone_in, write_private

# As the node: the contracts keep times in 40 bits.
MAX_AHEAD_SECONDS: Final = 2**39
_HEADER: Final = b'{"journal":'


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain in reach: the network's name, its URL, and its node if this process started it."""

    network: str
    url: str
    node: LocalNode | None

    def fund(self, account: str) -> None:
        """Give an account of a local chain the money that gas costs; others bring their own."""
        if self.node is not None:
            self.node.fund(account)


class LocalClock:
    """Seconds UTC on a local chain: the machine's clock, and how far the chain is ahead of it."""

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
        """How far the chain's clock is ahead, in seconds; negative while its history catches up with the present.

        Raises ``Misconfigured`` ``CLOCK_FILE_DAMAGED``, ``CLOCK_FILE_MISSING`` where a chain has lost its clock, and
        ``FILE_REFUSED`` where the system does not let it be read.
        """
        return 0 if self._remote else self._read()

    def begin(self, before: int) -> None:
        """Let a chain that does not exist yet begin ``before`` seconds ago; one that does is left as it is."""
        if not self._remote and not self._file.exists() and not self._journal.exists():
            self._settings.make_home()
            self._set(-before)

    def settle(self) -> None:
        """Give a chain that does not exist yet its clock, and one from before every chain had one."""
        if not self._file.exists() and not _has_header(self._journal):
            self._set(0)

    def skip(self, connection: Connection, seconds: int) -> None:
        """Move the clock forward, of ledger and chain; raises ``Conflict`` ``CLOCK_NOT_LOCAL``, ``InvalidInput``.

        Where the chain does not follow, such as on a full disk, neither is moved.
        """
        if self._remote:
            raise Conflict("CLOCK_NOT_LOCAL", "The chain is not ours: its time passes by itself.", hint=None)
        if seconds <= 0:
            raise InvalidInput("CLOCK_BACKWARD", "Time only goes forward.", where="seconds", hint=None)
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

    def tell(self, connection: Connection) -> None:
        """Have a chain that runs already keep this clock: who moved it last may have ended before the chain heard."""
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
                "The file with the clock of the local chain is missing.",
                where=str(self._file),
                hint='Restore it from the backup. If the clock was never moved, write {"ahead": 0} into it.',
            ) from None
        except (IsADirectoryError, InvalidInput, ValueError, TypeError, KeyError):
            ahead = None
        except OSError as error:
            # Such as no file descriptor left: that says nothing about what is in the file.
            where = str(self._file)
            raise Misconfigured("FILE_REFUSED", f"The system says: {error.strerror}.", where=where) from error
        if type(ahead) is not int or abs(ahead) > MAX_AHEAD_SECONDS:
            raise Misconfigured(
                "CLOCK_FILE_DAMAGED",
                "The file with the clock of the local chain is damaged.",
                where=str(self._file),
                hint="Restore it from the backup.",
            )
        return ahead

    def _set(self, ahead: int) -> None:
        write_private(self._file, json.dumps({"ahead": ahead}))


def _has_header(journal: Path) -> bool:
    """Whether the first line of a journal is one: journals without are from before every chain had a clock file."""
    try:
        with journal.open("rb") as file:
            return file.read(len(_HEADER)) == _HEADER
    except FileNotFoundError:
        return False


def fund(settings: Settings, connection: Connection, account: str) -> None:
    """Give an account of the local chain the money that gas costs; raises ``Conflict`` ``CHAIN_NOT_LOCAL``."""
    if settings.rpc_url is not None:
        raise Conflict("CHAIN_NOT_LOCAL", "The chain is not ours: it has money of its own.", hint=None)
    connection.ask("hardhat_setBalance", account, hex(FUNDS_WEI))


@contextmanager
def open_chain(settings: Settings, *, create: bool = False) -> Iterator[Chain]:
    """The chain to use; a local node is shared with whoever runs it, else started, kept running and stopped here.

    Only with ``create`` a local chain is begun where there is none. To be called ``one_at_a_time``, until it is open:
    who comes second shares what the first one started. Raises what ``NodeKeeper`` raises.
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

    with NodeKeeper(folder, make) as keeper:
        if keeper.node is None:
            clock.tell(Connection(keeper.url))
        yield Chain("local", keeper.url, keeper.node)
