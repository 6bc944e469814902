"""Imports the libraries that access the chain only when they are used, because loading them takes a second."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_ONE_AT_A_TIME = threading.RLock()


@contextmanager
def loading() -> Iterator[None]:
    """Restore the interpreter's recursion limit after a library was imported.

    All these libraries load py_ecc, which raises the limit for the whole process. With the raised limit, deeply nested
    text would end the process instead of raising an error.
    """
    with _ONE_AT_A_TIME:
        limit = sys.getrecursionlimit()
        try:
            yield
        finally:
            sys.setrecursionlimit(limit)
