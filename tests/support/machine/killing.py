"""A function that is the last thing its process does."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any


def arm(owner: object, name: str, when: str) -> None:
    """Make the named function the last thing this process does."""
    original: Callable[..., Any] = getattr(owner, name)

    def deadly(*args: Any, **kwargs: Any) -> Any:
        if when == "after":
            original(*args, **kwargs)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(owner, name, deadly)
