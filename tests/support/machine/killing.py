"""Makes a process kill itself before or after a call of a named function."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any


def arm(owner: object, name: str, when: str) -> None:
    """Make this process kill itself before or after the next call of the named function."""
    original: Callable[..., Any] = getattr(owner, name)

    def deadly(*args: Any, **kwargs: Any) -> Any:
        if when == "after":
            original(*args, **kwargs)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(owner, name, deadly)
