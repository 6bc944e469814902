"""Loading the libraries of the chain late: they take a second, and many commands need none of them."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_ONE_AT_A_TIME = threading.RLock()


@contextmanager
def loading() -> Iterator[None]:
    """Around the import of such a library: py_ecc, which they all load, raises the limit on recursion for the whole
    process. Without that limit, text that is nested deep enough ends the process instead of raising an error."""
    with _ONE_AT_A_TIME:
        limit = sys.getrecursionlimit()
        try:
            yield
        finally:
            sys.setrecursionlimit(limit)
