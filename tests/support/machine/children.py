"""Runs functions of a test in child processes, and returns their results as JSON."""

from __future__ import annotations

import json
import os
import select
import signal
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

# A child process that has not answered after this many seconds counts as hanging. Then only the test that started this
# child fails.
SECONDS: Final = 300


@dataclass
class Child:
    """A forked process, and the pipe for its answer."""

    pid: int
    answer: int

    def result(self) -> Any:
        """Return the function's result; fail if the function raised or the process was killed."""
        with os.fdopen(self.answer) as lines:
            if not select.select([lines], [], [], SECONDS)[0]:
                os.kill(self.pid, signal.SIGKILL)
            outcome = lines.read()
        _, status = os.waitpid(self.pid, 0)
        assert os.WIFEXITED(status) and outcome, f"the child ended with status {status}: {outcome}"
        returned = json.loads(outcome)
        assert "raised" not in returned, returned["raised"]
        return returned["returned"]


def forked(function: Callable[[], Any]) -> Child:
    """Run a function in a child process; call this only while this process has no ledger open."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writing)
        return Child(pid, reading)
    outcome = {"raised": "it ended early"}
    try:
        outcome = {"returned": function()}
    except BaseException:
        outcome = {"raised": traceback.format_exc()}
    finally:
        with os.fdopen(writing, "w") as lines:
            lines.write(json.dumps(outcome))
        os._exit(0)
