"""The three nodes on which the compared products run: anvil, the project's embedded node, and ganache. Each node mines
every transaction at once.
"""

from __future__ import annotations

import json
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench.peers import packages
from ledger.chain.local.node import BLOCK_GAS_LIMIT, FUNDS_WEI, JOURNAL, LocalNode
from ledger.chain.local.node_programs import find_node
from ledger.chain.local.ports import HOST, free_port

ANVIL: Final = "anvil"
EMBEDDED: Final = "embedded"
GANACHE: Final = "ganache"
CHAIN_ID: Final = 1337
# For each node, which data it has written to disk before it answers a request. The report shows these sentences.
DURABILITY: Final[Mapping[str, str]] = {
    ANVIL: "memory only: a power cut loses everything",
    EMBEDDED: "each transaction is in a journal on disk (fsync) before it is answered",
    GANACHE: "memory only: a power cut loses everything",
}
_START_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class Node:
    """A running node."""

    name: str
    url: str

    def fund(self, account: str) -> None:
        """Give an account money for gas."""
        method = {GANACHE: "evm_setAccountBalance"}.get(self.name, "hardhat_setBalance")
        self.ask(method, account, hex(FUNDS_WEI))

    def ask(self, method: str, *params: Any) -> Any:
        """Return the result of one JSON-RPC call."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        request = urllib.request.Request(self.url, body, {"Content-Type": "application/json"})  # noqa: S310
        with urllib.request.urlopen(request, timeout=_START_SECONDS) as answer:  # noqa: S310 - our own node
            found = json.loads(answer.read())
        if "result" not in found:
            raise RuntimeError(f"{self.name} refused {method}: {found.get('error')}")
        return found["result"]


@contextmanager
def running(name: str, folder: Path) -> Iterator[Node]:
    """Start a node with a new chain, and stop it at the end; its files are in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    if name == EMBEDDED:
        with LocalNode(folder, program=JOURNAL, chain_id=CHAIN_ID) as local:
            yield Node(name, local.url)
        return
    port = free_port()
    command = _anvil(port) if name == ANVIL else _ganache(port)
    with (folder / "node.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.PIPE)  # noqa: S603
        try:
            node = Node(name, f"http://{HOST}:{port}")
            _wait(node, process)
            yield node
        finally:
            process.terminate()
            process.wait()


def _anvil(port: int) -> Sequence[str]:
    options = {
        "host": HOST,
        "port": port,
        "chain-id": CHAIN_ID,
        "accounts": 0,
        "gas-limit": BLOCK_GAS_LIMIT,
        "hardfork": "paris",
        "gas-price": 0,
        "block-base-fee-per-gas": 0,
    }
    pairs = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    return [str(packages.anvil()), *pairs, "--no-request-size-limit", "--quiet"]


def _ganache(port: int) -> Sequence[str]:
    options = {
        "server.host": HOST,
        "server.port": port,
        "chain.chainId": CHAIN_ID,
        "chain.networkId": CHAIN_ID,
        "chain.hardfork": "merge",
        "chain.asyncRequestProcessing": "false",
        "wallet.totalAccounts": 0,
        "miner.blockGasLimit": BLOCK_GAS_LIMIT,
        "miner.callGasLimit": BLOCK_GAS_LIMIT,
        "miner.instamine": "eager",
    }
    pairs = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    return [str(find_node()), str(packages.ganache()), *pairs, "--logging.quiet"]


def _wait(node: Node, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            node.ask("eth_chainId")
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"{node.name} did not start")
