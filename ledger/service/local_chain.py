"""Which chain this ledger talks to: the configured one, or a local one kept in its home folder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ledger.chain.connection import Connection
from ledger.chain.node import JOURNAL, LocalNode
from ledger.errors import ChainUnavailable
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


@contextmanager
def open_chain(settings: Settings) -> Iterator[Chain]:
    """The chain to use; a local node is shared with a running server, else started and stopped here."""
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
