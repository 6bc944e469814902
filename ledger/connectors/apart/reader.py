"""Reads files in a separate process with a memory limit, because some libraries cannot limit the memory that they use.

If a file states false sizes and reading it exceeds the limit, only the separate process ends. Requests and answers are
lines of JSON: a hostile file that takes over the separate process can only send text to this process.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import suppress
from threading import BoundedSemaphore, Lock
from typing import Any, Final

from ledger.connectors.deadline import Deadline, TimeIsUp
from ledger.connectors.table import Unusable
from ledger.errors import InvalidInput, Misconfigured

# How much memory the reading process may use after it has imported its libraries, in bytes.
MEMORY_BYTES: Final = 1536 * 1024 * 1024
# The maximum size of a line of an answer, in bytes. A line contains one batch of rows.
MAX_LINE_BYTES: Final = 64 * 1024 * 1024
MAX_PROCESSES: Final = 4
_POLL_SECONDS: Final = 0.1
_CHUNK: Final = 64 * 1024
_INHERITED: Final = ("PATH", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "SYSTEMROOT", "VIRTUAL_ENV")
# The process uses the system's allocator, which takes memory only when needed. Arrow's own allocator would reserve more
# memory than the limit.
_ENVIRONMENT: Final = {"ARROW_DEFAULT_MEMORY_POOL": "system", "MALLOC_ARENA_MAX": "2", "OMP_NUM_THREADS": "1"}


class Ended(Exception):
    """The process ended before it had answered. It exceeded its memory limit, or the file made it fail."""


class _Process:
    def __init__(self, memory: int) -> None:
        # The process gets only these environment variables, because others may contain passwords and keys.
        environment = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        environment |= _ENVIRONMENT | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-P", "-m", "ledger.connectors.apart.process", str(memory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        self._buffer = bytearray()
        self.memory = memory

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, request: dict[str, Any], data: bytes) -> None:
        assert self._process.stdin is not None  # noqa: S101
        try:
            self._process.stdin.write(json.dumps(request | {"bytes": len(data)}).encode() + b"\n")
            self._process.stdin.write(data)
            self._process.stdin.flush()
        except OSError:
            raise Ended from None

    def line(self, until: Deadline) -> Any:
        """Return the next line of the answer. Raises ``Ended`` or ``TimeIsUp``."""
        assert self._process.stdout is not None  # noqa: S101
        stream = self._process.stdout.fileno()
        looked = 0
        while (end := self._buffer.find(b"\n", looked)) < 0:
            looked = len(self._buffer)
            until.check()
            if not select.select([stream], [], [], _POLL_SECONDS)[0]:
                continue
            chunk = os.read(stream, _CHUNK)
            if not chunk or looked + len(chunk) > MAX_LINE_BYTES:
                raise Ended
            self._buffer += chunk
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return json.loads(line)

    def end(self) -> None:
        self._process.kill()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        self._process.wait()


class Processes:
    """A pool of a few processes. A process is started when it is needed, and then kept for the next request."""

    def __init__(self) -> None:
        self._free = BoundedSemaphore(MAX_PROCESSES)
        self._lock = Lock()
        self._idle: list[_Process] = []

    def answers(self, request: dict[str, Any], data: bytes, until: Deadline) -> Generator[Any, None, Any]:
        """Yield the lines of the answer. The last line is ``{"end": …}``; it is not yielded, but its value is returned.

        Raises ``Ended``, ``TimeIsUp``. A process that has not finished its answer is killed.
        """
        if not self._free.acquire(timeout=until.left()):
            raise TimeIsUp
        process: _Process | None = None
        whole = False
        try:
            process = self._taken()
            process.ask(request, data)
            while "end" not in (line := process.line(until)):
                yield line
            # A process that ran out of memory is not used again, because parts of the file would still fill its memory.
            whole = "memory" not in line["end"]
            return line["end"]
        finally:
            if process is not None:
                self._put_back(process, whole)
            self._free.release()

    def _taken(self) -> _Process:
        with self._lock:
            while self._idle:
                process = self._idle.pop()
                if process.alive and process.memory == MEMORY_BYTES:
                    return process
                process.end()
        try:
            return _Process(MEMORY_BYTES)
        except OSError:
            # The machine cannot start a process or open a file now. The caller gets the error that it would get if all
            # processes were busy.
            raise TimeIsUp from None

    def _put_back(self, process: _Process, whole: bool) -> None:
        if not whole:
            process.end()
            return
        with self._lock:
            self._idle.append(process)

    def close(self) -> None:
        """Kill the idle processes."""
        with self._lock:
            while self._idle:
                self._idle.pop().end()


def read_apart(request: dict[str, Any], until: Deadline, data: bytes = b"") -> Iterator[Any]:
    """Yield the lines of the answer to a request. The request names a file, or is about the bytes ``data``.

    Raises the error that the separate process reports, and ``Ended`` if its memory was used up.
    """
    end = yield from PROCESSES.answers(request, data, until)
    if "error" in end:
        name, code, message, where, hint, details = end["error"]
        raise _ERRORS[name](code, message, where=where, hint=hint, **details)
    if "unusable" in end:
        raise Unusable(*end["unusable"])
    if "late" in end:
        raise TimeIsUp
    if "memory" in end:
        raise Ended


_ERRORS: Final = {"InvalidInput": InvalidInput, "Misconfigured": Misconfigured}
PROCESSES: Final = Processes()
atexit.register(PROCESSES.close)
