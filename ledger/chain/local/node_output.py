"""Reads the standard output of a local node from a pipe, and copies the output to a log file.

If the disk is full, the output is not copied, so that the node still starts and answers.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import structlog

LISTENING: Final = "RPC Listening on"
_LINES_KEPT: Final = 200
_LINE_BYTES: Final = 8192
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Repair:
    """How the start of a node repaired the journal's last line, which a crash had left incomplete.

    ``reason`` is ``torn`` (the incomplete line was cut off; the caller never got an answer for its change), ``refused``
    (the line was removed, because the chain refuses its change) or ``without its line break`` (the line was completed).
    ``bytes`` is how many bytes were cut off.
    """

    line: int
    bytes: int
    reason: str


class NodeOutput:
    """Reads ``stream`` to its end in a thread, and copies it into a new log file at ``path``.

    ``read`` is the number of lines so far; the number grows while a node replays its journal. ``listening`` says
    whether the node has printed that it listens.
    """

    def __init__(self, stream: IO[bytes], path: Path) -> None:
        self._stream = stream
        self._path = path
        self._lines: deque[str] = deque(maxlen=_LINES_KEPT)
        self.read = 0
        self.listening = False
        self._thread = threading.Thread(target=self._follow, name="local-chain-output", daemon=True)
        self._thread.start()

    @property
    def tail(self) -> str:
        """The last lines of the output."""
        return "".join(list(self._lines))

    def facts(self, word: str) -> dict[str, Any] | None:
        """Return the JSON object in the last line that begins with ``word``, or None if there is no such line."""
        for line in reversed(list(self._lines)):
            if line.startswith(f"{word} {{"):
                return dict(json.loads(line.removeprefix(word)))
        return None

    def finish(self, seconds: float) -> None:
        """Wait until the whole output of an ended node is read."""
        self._thread.join(seconds)

    def _follow(self) -> None:
        with self._stream:
            file = self._open()
            while line := self._stream.readline(_LINE_BYTES):
                if file is not None and not self._wrote(file, line):
                    file = None
                self._lines.append(line.decode("utf-8", "replace"))
                self.listening = self.listening or LISTENING in self._lines[-1]
                self.read += 1
            if file is not None:
                file.close()

    def _open(self) -> IO[bytes] | None:
        try:
            return self._path.open("wb", buffering=0)
        except OSError as error:
            self._report(error)
            return None

    def _wrote(self, file: IO[bytes], line: bytes) -> bool:
        try:
            file.write(line)
        except OSError as error:
            self._report(error)
            file.close()
            return False
        return True

    def _report(self, error: OSError) -> None:
        log.warning("node_log_unwritable", path=str(self._path), reason=error.strerror)
