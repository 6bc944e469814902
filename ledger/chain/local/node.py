"""Runs a local development chain in a child process, which always ends when its parent process ends.

Two programs can run the chain. ``GANACHE`` is the reference that tests run on. ``JOURNAL`` is ``local_chain.mjs`` with
Hardhat's simulated network. ``JOURNAL`` is about fifty times faster and stores a journal instead of a database.

The child's standard input is a pipe from this process. The child ends when the pipe closes, which also happens when
this process is killed.
"""

from __future__ import annotations

import atexit
import http.client
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import KW_ONLY, InitVar, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import structlog

from ledger.chain.local.node_output import NodeOutput, Repair
from ledger.chain.local.node_programs import ganache_command, journal_command
from ledger.chain.local.ports import HOST, free_port, is_free
from ledger.chain.locking import FileLock
from ledger.chain.rpc.journal_failure import on_disk, refused_by_journal, starting, unusable_journal
from ledger.domain.canonical import require_shallow
from ledger.errors import ChainUnavailable, Conflict, InvalidInput, Misconfigured, PingzhengError

GANACHE: Final = "ganache"
JOURNAL: Final = "journal"
BLOCK_GAS_LIMIT: Final = 100_000_000
FUNDS_WEI: Final = 10**27
START_TIMEOUT_SECONDS: Final = 30
STOP_TIMEOUT_SECONDS: Final = 10
LOCK_TIMEOUT_SECONDS: Final = 2 * STOP_TIMEOUT_SECONDS
MAX_ANSWER_DEPTH: Final = 32
_PORT_ATTEMPTS: Final = 3
_PORT_TAKEN: Final = "EADDRINUSE"
log = structlog.get_logger()


@dataclass(eq=False, repr=False)
class LocalNode:
    """A local node: one process that listens on 127.0.0.1 and keeps its data and its log file in ``directory``.

    A node that starts in the same directory continues the same chain; only one node at a time can use a journal.
    ``funded`` are addresses that get money at the start. The money comes from a call that only test nodes offer: if the
    command line gave funded accounts, their private keys would appear in the list of processes. Blocks follow the rules
    of the Paris hard fork, and each transaction is mined at once. ``ahead`` is called at each start and returns how
    many seconds the clock of a journaled chain is ahead of UTC. If ``create`` is false, the journal must already exist.
    Raises Misconfigured if Node, the program or the journal is missing.
    """

    directory: Path
    _: KW_ONLY
    program: str = GANACHE
    chain_id: int = 1337
    port: InitVar[int | None] = None
    funded: Sequence[str] = ()
    persistent: bool = True
    create: bool = True
    ahead: Callable[[], int] = lambda: 0
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _output: NodeOutput | None = field(default=None, init=False)
    # What the last start repaired in the journal's last line; None if nothing had to be repaired.
    repaired: Repair | None = field(default=None, init=False)

    def __post_init__(self, port: int | None) -> None:
        self._wanted_port, self._port = port, port or 0

    @property
    def url(self) -> str:
        """The address to which JSON-RPC requests are sent."""
        return f"http://{HOST}:{self._port}"

    @property
    def pid(self) -> int | None:
        """The id of the process, or None if no process was started."""
        return self._process.pid if self._process else None

    @property
    def log_path(self) -> Path:
        """The file that contains the node's output."""
        return self.directory / "node.log"

    @property
    def running(self) -> bool:
        """Whether the process is running."""
        process = self._process
        return process is not None and process.poll() is None

    @property
    def died(self) -> bool:
        """Whether the process ended although neither ``stop`` nor ``kill`` was called."""
        process = self._process
        return process is not None and process.poll() is not None

    def start(self) -> Self:
        """Start the process and wait until it answers. Does nothing if it already runs.

        Raises ``Misconfigured`` ``JOURNAL_DAMAGED`` and similar codes if the journal cannot be used, ``PORT_IN_USE``,
        ``CHAIN_READ_ONLY``, ``StorageFull`` ``DISK_FULL``, ``Conflict`` ``CHAIN_RUNNING``, and ``ChainUnavailable``
        ``NODE_START_FAILED`` for all other failures.
        """
        if not self.running:
            self._start(self._wanted_port)
        return self

    def restart(self) -> Self:
        """After the process died, start a new process on the same port. Raises what ``start`` raises."""
        if not self.running:
            self.stop()
            self.create = False
            self._start(self._port)
        return self

    def _start(self, port: int | None) -> None:
        with on_disk(self.directory):
            self.directory.mkdir(parents=True, exist_ok=True)
        for attempt in range(1, _PORT_ATTEMPTS + 1):
            with starting(self.directory):
                self._port = port or free_port()
                self._spawn(fixed=port is not None)
            if self._listens(final=port is not None or attempt == _PORT_ATTEMPTS):
                break
        # The chain has run before. If the chain's journal is missing at the next start, no new journal may be created
        # in its place.
        self.create = False
        for address in self.funded:
            self.fund(address)

    def stop(self) -> None:
        """Stop the process and all its children; safe to call twice."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Kill the process at once, so that it cannot finish its work; this simulates a power cut."""
        self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        atexit.unregister(self.stop)
        if process is None:
            return
        _signal_group(process, number)
        if process.stdin is not None:
            process.stdin.close()
        try:
            process.wait(STOP_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            _signal_group(process, signal.SIGKILL)
            process.wait(STOP_TIMEOUT_SECONDS)
        self._close_log()

    def _close_log(self) -> None:
        """Close the log file, so that the disk can be unmounted or made read-only."""
        if self._output is not None:
            self._output.finish(STOP_TIMEOUT_SECONDS)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def fund(self, address: str, wei: int = FUNDS_WEI) -> None:
        """Give an account ``wei`` for gas, unless the account still has at least half of this amount. Mines one
        block.
        """
        if int(self.rpc("eth_getBalance", address, "latest"), 16) * 2 < wei:
            method = "evm_setAccountBalance" if self.program == GANACHE else "hardhat_setBalance"
            self.rpc(method, address, hex(wei))

    def snapshot(self) -> str:
        """Store the chain's present state in the node, and return a token. ``revert`` accepts each token once."""
        return str(self.rpc("evm_snapshot"))

    def revert(self, token: str) -> None:
        """Return to a snapshot and drop all later blocks."""
        if self.rpc("evm_revert", token) is not True:
            raise Misconfigured("SNAPSHOT_UNKNOWN", "The local node does not know this snapshot.", hint=None)

    def mine(self, blocks: int = 1) -> None:
        """Mine empty blocks."""
        for _ in range(blocks):
            self.rpc("evm_mine")

    def advance(self, seconds: int) -> None:
        """Move the node's clock forward and mine a block at the new time."""
        self.rpc("evm_increaseTime", seconds)
        self.rpc("evm_mine")

    def rpc(self, method: str, *params: Any) -> Any:
        """Send one JSON-RPC call; raise ChainUnavailable CHAIN_UNREACHABLE or NODE_REFUSED."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)})
        connection = http.client.HTTPConnection(HOST, self._port, timeout=STOP_TIMEOUT_SECONDS)
        try:
            connection.request("POST", "/", body, {"Content-Type": "application/json"})
            raw = connection.getresponse().read()
            require_shallow(raw, MAX_ANSWER_DEPTH)
            answer = json.loads(raw)
        except (OSError, http.client.HTTPException, ValueError, InvalidInput) as error:
            raise ChainUnavailable(
                "CHAIN_UNREACHABLE",
                "The local node does not answer.",
                where=self.url,
                hint=f"Read {self.log_path.name} in the chain's directory, then start the chain again.",
            ) from error
        finally:
            connection.close()
        if isinstance(answer, dict) and "result" in answer:
            return answer["result"]
        refused = answer.get("error") if isinstance(answer, dict) else None
        raise refused_by_journal(refused, str(self.directory)) or ChainUnavailable(
            "NODE_REFUSED", f"The local node refused {method}.", where=self.url, hint=None, node=refused
        )

    def _spawn(self, *, fixed: bool) -> None:
        if fixed and not is_free(self._port):
            raise self._port_in_use()
        with self._alone() as held:
            self._process = process = subprocess.Popen(  # noqa: S603 (both paths are our own installation's)
                self._command(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                cwd=self.directory,
                pass_fds=held,
            )
        atexit.register(self.stop)
        if process.stdout is not None:
            self._output = NodeOutput(process.stdout, self.log_path)

    def _port_in_use(self) -> PingzhengError:
        return Misconfigured(
            "PORT_IN_USE",
            f"Port {self._port} is used by another program.",
            where=self.url,
            hint="Stop that program, or choose another port for the local chain.",
        )

    @contextmanager
    def _alone(self) -> Iterator[tuple[int, ...]]:
        """Take the journal's lock, and yield the descriptor of the lock file, which the node inherits. The lock is
        released when the node ends.

        If a running node has the lock, wait until that node ends; raise ``Conflict`` ``CHAIN_RUNNING`` if that node
        does not end.
        """
        if self.program != JOURNAL or not self.persistent:
            yield ()
            return
        lock, deadline = FileLock(self.directory / "journal.lock"), time.monotonic() + LOCK_TIMEOUT_SECONDS
        with on_disk(self.directory):
            while not lock.acquire():
                if time.monotonic() > deadline:
                    raise Conflict(
                        "CHAIN_RUNNING",
                        "Another node already uses the journal of this chain.",
                        where=str(self.directory),
                        hint="End the program that started the other node, then try again.",
                    )
                time.sleep(0.05)
        try:
            yield (lock.descriptor,)
        finally:
            lock.release()

    def _command(self) -> list[str]:
        folder = self.directory.resolve()
        if self.program == GANACHE:
            database = folder / "chain" if self.persistent else None
            return ganache_command(self._port, self.chain_id, BLOCK_GAS_LIMIT, database)
        options = {
            "port": self._port,
            "chainId": self.chain_id,
            "blockGasLimit": BLOCK_GAS_LIMIT,
            "journal": str(folder / "journal.jsonl") if self.persistent else None,
            "create": self.create,
            "ahead": self.ahead(),
        }
        return journal_command(options)

    def _listens(self, *, final: bool) -> bool:
        """Wait until the process that was started listens on the port. Return False if another program took the port
        first.

        That something listens on the port does not prove that it is our process; only the output of our process proves
        this. While the process keeps writing output, it is replaying its journal, so this function keeps waiting.
        """
        output, read = self._output, -1
        if output is None:
            raise ValueError("No process was started.")
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while time.monotonic() < deadline and self.running:
            if output.listening:
                self.rpc("eth_chainId")
                self._note_repair(output)
                return True
            if output.read != read:
                deadline, read = time.monotonic() + START_TIMEOUT_SECONDS, output.read
            time.sleep(0.02)
        self.stop()
        failed = output.facts("Failed") or {}
        port_taken = _PORT_TAKEN in (failed.get("code"), *output.tail.split())
        if port_taken and not final:
            return False
        raise (self._port_in_use() if port_taken else self._failure(failed, output))

    def _failure(self, failed: dict[str, Any], output: NodeOutput) -> PingzhengError:
        return unusable_journal(failed, str(self.directory)) or ChainUnavailable(
            "NODE_START_FAILED",
            "The local node did not start.",
            where=str(self.log_path),
            hint="Read the node's log, and check that no other process uses the same chain directory.",
            log_tail=output.tail[-2000:],
        )

    def _note_repair(self, output: NodeOutput) -> None:
        facts = output.facts("Repaired")
        self.repaired = None if facts is None else Repair(**facts)
        if facts is not None:
            log.warning("journal_repaired", directory=str(self.directory), **facts)


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    # An ended process gets no signal: the system may already have given its process id to another process.
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
