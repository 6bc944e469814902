"""Which chain this ledger talks to: the configured one, or a local one kept in its home folder.

A local chain has a clock of its own, kept beside it: it can begin in the past and be moved forward, so that public
notices and deadlines run out within a demonstration. Ledger and chain read the same clock.
"""

from __future__ import annotations

import fcntl
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ledger.chain.connection import Connection
from ledger.chain.node import FUNDS_WEI, JOURNAL, LocalNode
from ledger.errors import ChainUnavailable, Conflict, InvalidInput
from ledger.service.keys import write_private
from ledger.service.settings import Settings


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
        self._remote = settings.rpc_url is not None

    def __call__(self) -> int:
        return int(time.time()) + self.ahead

    @property
    def ahead(self) -> int:
        """How far the chain's clock is ahead, in seconds; negative while its history catches up with the present."""
        try:
            return 0 if self._remote else int(json.loads((self._folder / "clock.json").read_text())["ahead"])
        except FileNotFoundError:
            return 0

    def begin(self, before: int) -> None:
        """Let a chain that does not exist yet begin ``before`` seconds ago; one that does is left as it is."""
        if not self._folder.exists() and not self._remote:
            self._settings.make_home()
            self._folder.mkdir()
            self._set(-before)

    def skip(self, connection: Connection, seconds: int) -> None:
        """Move the clock forward, of ledger and chain; raises ``Conflict`` ``CLOCK_NOT_LOCAL``, ``InvalidInput``."""
        if self._remote:
            raise Conflict("CLOCK_NOT_LOCAL", "The chain is not ours: its time passes by itself.", hint=None)
        if seconds <= 0:
            raise InvalidInput("CLOCK_BACKWARD", "Time only goes forward.", where="seconds", hint=None)
        self._set(self.ahead + seconds)
        connection.ask("evm_increaseTime", seconds)
        connection.ask("evm_mine")

    def _set(self, ahead: int) -> None:
        write_private(self._folder / "clock.json", json.dumps({"ahead": ahead}))


def fund(settings: Settings, connection: Connection, account: str) -> None:
    """Give an account of the local chain the money that gas costs; raises ``Conflict`` ``CHAIN_NOT_LOCAL``."""
    if settings.rpc_url is not None:
        raise Conflict("CHAIN_NOT_LOCAL", "The chain is not ours: it has money of its own.", hint=None)
    connection.ask("hardhat_setBalance", account, hex(FUNDS_WEI))


@contextmanager
def one_at_a_time(path: Path) -> Iterator[None]:
    """Wait until no other process is here. A lock on the file, which the system ends with the process that holds it."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def open_chain(settings: Settings) -> Iterator[Chain]:
    """The chain to use; a local node is shared with whoever runs it, else started and stopped here.

    To be called ``one_at_a_time``, until it is open: who comes second shares what the first one started.
    """
    if settings.rpc_url is not None:
        yield Chain("remote", settings.rpc_url, None)
        return
    folder = settings.home / "chain"
    running = folder / "node.json"
    if running.exists():
        url = str(json.loads(running.read_text())["url"])
        if _answers(url, settings.local_chain_id):
            yield Chain("local", url, None)
            return
    with LocalNode(folder, program=JOURNAL, chain_id=settings.local_chain_id) as node:
        if ahead := LocalClock(settings).ahead:
            node.rpc("evm_increaseTime", ahead)
        write_private(running, json.dumps({"url": node.url}))
        try:
            yield Chain("local", node.url, node)
        finally:
            running.unlink(missing_ok=True)


def _answers(url: str, chain_id: int) -> bool:
    try:
        return Connection(url, timeout=2).chain_id() == chain_id
    except ChainUnavailable:
        return False
