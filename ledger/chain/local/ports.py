"""Finds free ports for local nodes on this machine."""

from __future__ import annotations

import socket
from typing import Final

HOST: Final = "127.0.0.1"


def is_free(port: int) -> bool:
    """Return whether no program listens on the port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """Return a port on which no program listens now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
