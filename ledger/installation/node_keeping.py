"""Keep the node of a local chain running, for the program that started the node and for programs that share the node.

The program that started the node, the owner, holds ``owner.lock``; the system releases the lock when the program ends.
``node.json`` holds the node's last URL. The URL is used only if the node at the URL has this folder's journal open.
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
    """A context in which the node of the chain in ``folder`` runs. ``make(port)`` creates a node; None means any port.

    If another program runs the node, this program shares that node. If the node dies, its owner starts the node again
    at the same port. If the owner ends, one of the programs that share the node becomes the owner. Raises ``Conflict``
    ``CHAIN_RUNNING`` if another program owns the node and the node does not answer, and the errors of
    ``LocalNode.start``.
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
        """Return the node if this program owns it; else None."""
        return self._node

    def __enter__(self) -> Self:
        deadline = time.monotonic() + LOCK_TIMEOUT_SECONDS
        while not (self._own() or self._share()):
            if time.monotonic() > deadline:
                raise Conflict(
                    "CHAIN_RUNNING",
                    "Another program runs this chain, and its node does not answer.",
                    where=str(self._folder),
                    hint="Wait until the node has replayed its journal, or end the program that runs it.",
                )
            time.sleep(CHECK_SECONDS)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending.set()
        while self._thread.is_alive():
            # A thread that is starting a node waits until the node has replayed its journal, and meanwhile does not
            # notice that the thread must end. Stopping the node ends this waiting. So the node is stopped again and
            # again until the thread ends.
            self._stop()
            self._thread.join(CHECK_SECONDS)
        self._stop()
        self._lock.release()

    def _stop(self) -> None:
        if self._node is not None:
            self._node.stop()

    def _own(self) -> bool:
        """Become the owner and start the node, at its previous port if possible.

        Returns False if another program is the owner.
        """
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
            # No program owns the node, so no node runs, and the damaged file is not needed.
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
        """Use the owner's node if this node answers and has this folder's journal open. Return whether the node is
        used.
        """
        port = self._noted()
        if port is None or not is_of(self._folder, url := f"http://127.0.0.1:{port}"):
            return False
        self._url = url
        return True

    def _noted(self) -> int | None:
        """Return the port in ``node.json``, or None if there is no file. Raises ``Misconfigured``
        ``NODE_FILE_DAMAGED``.
        """
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
                "The file with the URL of the local chain's node is damaged.",
                where=str(path),
                hint="End the program that runs the chain, and start the program again.",
            )
        return int(found[1])

    def _note(self) -> None:
        try:
            write_private(self._folder / "node.json", json.dumps({"url": self._url}))
        except (OSError, PingzhengError) as error:
            # The node runs without the file, but other programs cannot share the node until this program ends.
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
        """Return whether the owner has ended and this program is now the owner."""
        try:
            return self._lock.acquire()
        except OSError:
            # The folder was deleted or is not writable. The node answers, so this program goes on using it.
            return False

    def _revived(self) -> bool:
        """Start the node again at its previous port; return whether the node started. Wait longer before each new
        attempt.

        Give up after ``MAX_STARTS`` attempts within ``WITHIN_SECONDS``.
        """
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
                # The start is tried again, because this error also occurs when the system has no free process or file
                # descriptor at the moment.
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
    """Return the JSON value in a file of at most 1024 bytes; raises OSError, ValueError or InvalidInput."""
    with path.open("rb") as file:
        raw = file.read(_MAX_FILE_BYTES + 1)
    if len(raw) > _MAX_FILE_BYTES:
        raise ValueError("The file is too long.")
    require_shallow(raw, 1)
    return json.loads(raw)


def is_of(folder: Path, url: str) -> bool:
    """Return whether the node at ``url`` has this folder's journal file open, even if it uses another path to the
    file."""
    try:
        answer = Connection(url, timeout=_PROOF_TIMEOUT_SECONDS).ask("pingzheng_journal")
        status = (folder / "journal.jsonl").stat()
    except (PingzhengError, FileNotFoundError):
        return False
    wanted = {"device": str(status.st_dev), "inode": str(status.st_ino)}
    return isinstance(answer, dict) and wanted.items() <= answer.items()
