"""What a local node says on its standard output.

It is read from a pipe, and kept in a log file as far as the disk allows: a node on a full disk starts and answers.
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
    """What a start did to the last line of a journal, which a crash had interrupted.

    ``reason`` is ``torn`` (cut off: it was never answered), ``refused`` (taken back: its change is refused) or
    ``without its line break`` (kept, and completed); ``bytes`` is how much was cut off.
    """

    line: int
    bytes: int
    reason: str


class NodeOutput:
    """Reads ``stream`` to its end in a thread of its own; ``path`` is written anew."""

    def __init__(self, stream: IO[bytes], path: Path) -> None:
        self._stream = stream
        self._path = path
        self._lines: deque[str] = deque(maxlen=_LINES_KEPT)
        self._read = 0
        self._listening = False
        self._thread = threading.Thread(target=self._follow, name="local-chain-output", daemon=True)
        self._thread.start()

    @property
    def read(self) -> int:
        """How many lines came so far: a node that replays its journal goes on writing."""
        return self._read

    @property
    def listening(self) -> bool:
        return self._listening

    @property
    def tail(self) -> str:
        return "".join(list(self._lines))

    def facts(self, word: str) -> dict[str, Any] | None:
        """The JSON object of the last line that begins with ``word``."""
        for line in reversed(list(self._lines)):
            if line.startswith(f"{word} {{"):
                return dict(json.loads(line.removeprefix(word)))
        return None

    def finish(self, seconds: float) -> None:
        """Wait until all is read that an ended node wrote."""
        self._thread.join(seconds)

    def _follow(self) -> None:
        with self._stream:
            file = self._open()
            while line := self._stream.readline(_LINE_BYTES):
                if file is not None and not self._wrote(file, line):
                    file = None
                self._lines.append(line.decode("utf-8", "replace"))
                self._listening = self._listening or LISTENING in self._lines[-1]
                self._read += 1
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
