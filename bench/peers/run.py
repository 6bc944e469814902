"""Measures every act of every compared product on one node, and each act for the same time."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from bench.measuring.measure import Measured
from bench.peers.acts import MULTI, MULTI_ON_GANACHE, Act, groups
from bench.peers.client import Client
from bench.peers.nodes import GANACHE, running

TOKENS: Final = 400
Say = Callable[[str], None]


def measure_peers(name: str, folder: Path, seconds: float, say: Say, tokens: int = TOKENS) -> list[Measured]:
    """Return one measurement for each act on a node. Each measurement lasts about ``seconds``, and begins after one
    call that is not measured.

    The files of the nodes are in ``folder``.
    """
    found = []
    multi = MULTI_ON_GANACHE if name == GANACHE else MULTI
    for place, group in enumerate(groups(tokens, multi)):
        with running(name, folder / str(place)) as node:
            for act in group(Client(node)):
                say(f"{act.name} × {act.set_size:,} on {name}" if act.set_size > 1 else f"{act.name} on {name}")
                found.append(_measured(act, name, seconds))
    return found


def _measured(act: Act, node: str, seconds: float) -> Measured:
    measured = Measured(act.name, node, act.set_size)
    act.do()
    left = float("inf") if act.limit is None else act.limit - 1
    end = time.perf_counter() + seconds
    while left > 0 and (measured.count == 0 or time.perf_counter() < end):
        with measured.timed():
            measured.gas += act.do()
        measured.count += act.set_size
        left -= 1
    return measured
