"""Children of a test: each runs a function in a process of its own, and what it returns comes back as JSON."""

from __future__ import annotations

import json
import os
import select
import signal
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

# Whoever has not answered by then hangs: the test fails, and the suite goes on.
SECONDS: Final = 300


@dataclass
class Child:
    """A process that was forked, and the pipe on which its answer comes."""

    pid: int
    answer: int

    def result(self) -> Any:
        """What the function returned; fails where it raised or was killed."""
        with os.fdopen(self.answer) as lines:
            if not select.select([lines], [], [], SECONDS)[0]:
                os.kill(self.pid, signal.SIGKILL)
            told = lines.read()
        _, status = os.waitpid(self.pid, 0)
        assert os.WIFEXITED(status) and told, f"the child ended with status {status}: {told}"
        returned = json.loads(told)
        assert "raised" not in returned, returned["raised"]
        return returned["returned"]


def forked(function: Callable[[], Any]) -> Child:
    """Run a function in a child; to be called while this process has no ledger open."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writing)
        return Child(pid, reading)
    told = {"raised": "it ended early"}
    try:
        told = {"returned": function()}
    except BaseException:
        told = {"raised": traceback.format_exc()}
    finally:
        with os.fdopen(writing, "w") as lines:
            lines.write(json.dumps(told))
        os._exit(0)
