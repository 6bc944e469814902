"""Keeps the node of a local chain running, for the one program that owns it and all that share it.

``owner.lock`` is held by the program that started the node; the system ends the lock with the program. ``node.json``
says where the node was last, and is believed only of a node that has this folder's journal open.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import structlog

from ledger.chain.local.node import LOCK_TIMEOUT_SECONDS, LocalNode
from ledger.chain.locking import FileLock
from ledger.chain.rpc.connection import Connection
from ledger.chain.rpc.journal_failure import on_disk
from ledger.domain.canonical import require_shallow
from ledger.errors import Conflict, InvalidInput, Misconfigured, PingzhengError
from ledger.wallet.private_file import write_private

CHECK_SECONDS: Final = 0.2
MAX_STARTS: Final = 5
WITHIN_SECONDS: Final = 60.0
_PROOF_TIMEOUT_SECONDS: Final = 2
_MAX_FILE_BYTES: Final = 1024
_URL: Final = re.compile(r"http://127\.0\.0\.1:([1-9][0-9]{0,4})")
log = structlog.get_logger()


class NodeKeeper:
    """The node of the chain in ``folder``, from entering to leaving; ``make`` gives a node at a port, or at any.

    The node that another program runs is shared. A node that dies is started again at its port by its owner; when the
    owner ends, one of the programs that share the node becomes the owner. Raises ``Conflict`` ``CHAIN_RUNNING`` when
    another program owns the node and it does not answer, and what ``LocalNode.start`` raises.
    """

    def __init__(self, folder: Path, make: Callable[[int | None], LocalNode]) -> None:
        self._folder = folder
        self._make = make
        self._lock = FileLock(folder / "owner.lock")
        self._node: LocalNode | None = None
        self._url = ""
        self._starts: deque[float] = deque(maxlen=MAX_STARTS)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="local-chain-keeper", daemon=True)

    @property
    def url(self) -> str:
        return self._url

    @property
    def node(self) -> LocalNode | None:
        """The node if this program owns it."""
        return self._node

    def __enter__(self) -> Self:
        deadline = time.monotonic() + LOCK_TIMEOUT_SECONDS
        while not (self._own() or self._share()):
            if time.monotonic() > deadline:
                raise Conflict(
                    "CHAIN_RUNNING",
                    "Another program runs this chain, and its node does not answer.",
                    where=str(self._folder),
                    hint="Wait until it has replayed its journal, or end that program.",
                )
            time.sleep(CHECK_SECONDS)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending.set()
        while self._thread.is_alive():
            # It may be waiting for a node that replays its journal.
            self._stop()
            self._thread.join(CHECK_SECONDS)
        self._stop()
        self._lock.release()

    def _stop(self) -> None:
        if self._node is not None:
            self._node.stop()

    def _own(self) -> bool:
        """Become the owner and start the node, at the port where it was before if that is free."""
        with on_disk(self._folder):
            if not self._lock.acquire():
                return False
        try:
            self._node = self._started(self._last_port())
        except BaseException:
            self._lock.release()
            raise
        self._url = self._node.url
        self._note()
        return True

    def _last_port(self) -> int | None:
        try:
            return self._noted()
        except Misconfigured as damage:
            # Nobody owns the node, so there is none: the file says nothing that is needed.
            log.warning("node_file_replaced", code=damage.code, path=damage.where)
            return None

    def _started(self, port: int | None) -> LocalNode:
        try:
            return self._make(port).start()
        except Misconfigured as error:
            if port is None or error.code != "PORT_IN_USE":
                raise
            return self._make(None).start()

    def _share(self) -> bool:
        """Use the node of the program that owns it, if it answers for this folder's journal."""
        port = self._noted()
        if port is None or not is_of(self._folder, url := f"http://127.0.0.1:{port}"):
            return False
        self._url = url
        return True

    def _noted(self) -> int | None:
        """The port in ``node.json``; raises ``Misconfigured`` ``NODE_FILE_DAMAGED`` if there is none in it."""
        path = self._folder / "node.json"
        try:
            found = _URL.fullmatch(small_json(path)["url"])
        except FileNotFoundError:
            return None
        except (OSError, InvalidInput, ValueError, TypeError, KeyError):
            found = None
        if found is None or int(found[1]) > 0xFFFF:
            raise Misconfigured(
                "NODE_FILE_DAMAGED",
                "The file that says where the local chain's node is is damaged.",
                where=str(path),
                hint="End the program that runs the chain, and start it again.",
            )
        return int(found[1])

    def _note(self) -> None:
        try:
            write_private(self._folder / "node.json", json.dumps({"url": self._url}))
        except (OSError, PingzhengError) as error:
            # The node runs all the same; other programs wait for this one to end.
            log.warning("node_file_not_written", path=str(self._folder / "node.json"), reason=str(error))

    def _keep(self) -> None:
        while not self._ending.wait(CHECK_SECONDS):
            if self._node is not None and not self._node.died:
                continue
            if self._node is None and not self._inherited():
                continue
            log.warning("local_chain_died" if self._node else "local_chain_taken_over", url=self._url)
            if not self._revived():
                return

    def _inherited(self) -> bool:
        """Whether the owner has ended and this program is the new one."""
        try:
            return self._lock.acquire()
        except OSError:
            # The folder is gone, or this program may not write in it: it goes on asking whoever answers.
            return False

    def _revived(self) -> bool:
        """Start the node again at its port, at most ``MAX_STARTS`` times ``WITHIN_SECONDS``, and ever later."""
        while not self._ending.is_set():
            now = time.monotonic()
            recent = sum(now - at < WITHIN_SECONDS for at in self._starts)
            if recent == MAX_STARTS:
                return self._gave_up(f"died {MAX_STARTS} times in {WITHIN_SECONDS:.0f} s")
            if recent and self._ending.wait(CHECK_SECONDS * 2**recent):
                break
            self._starts.append(now)
            try:
                self._restart()
            except Misconfigured as error:
                if error.code != "PORT_IN_USE":
                    return self._gave_up(error.code)
            except (PingzhengError, OSError) as error:
                # Also where the system has no process or no descriptor to spare just now.
                log.warning("local_chain_not_started", url=self._url, reason=str(error))
            else:
                log.warning("local_chain_restarted", url=self._url)
                return True
        return False

    def _restart(self) -> None:
        if self._node is None:
            self._node = self._make(int(self._url.rpartition(":")[2]))
            self._note()
        self._node.restart()

    def _gave_up(self, reason: str) -> bool:
        log.error("local_chain_given_up", url=self._url, reason=reason)
        self._lock.release()
        return False


def small_json(path: Path) -> Any:
    """What a file of one short line holds. Raises OSError, ValueError or InvalidInput for whatever else is in it."""
    with path.open("rb") as file:
        raw = file.read(_MAX_FILE_BYTES + 1)
    if len(raw) > _MAX_FILE_BYTES:
        raise ValueError("The file is too long.")
    require_shallow(raw, 1)
    return json.loads(raw)


def is_of(folder: Path, url: str) -> bool:
    """Whether the node at ``url`` has the journal of this folder: the same file, whatever its path."""
    try:
        answer = Connection(url, timeout=_PROOF_TIMEOUT_SECONDS).ask("pingzheng_journal")
        status = (folder / "journal.jsonl").stat()
    except (PingzhengError, FileNotFoundError):
        return False
    wanted = {"device": str(status.st_dev), "inode": str(status.st_ino)}
    return isinstance(answer, dict) and wanted.items() <= answer.items()
