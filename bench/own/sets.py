"""Runs the stages of usage certificates in sets of several sizes, and once with counters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

from bench.measuring.counting import counted
from bench.measuring.measure import Measured
from bench.own.assets import onboard
from bench.own.cast import BANK, DEPARTMENT, Cast, assemble
from bench.own.preparing import Preparing
from bench.own.statements import Scene
from bench.stages import Stages, measure, new_measurements, sums
from ledger.installation.wiring import Ledger

# For each size of set, how many certificates are made: enough for a stable time, and no more. Sets of a thousand are
# measured by the long run (`growth`).
SETS: Final = {1: 20, 10: 100, 100: 400, 10_000: 20_000}
COUNTED: Final = 1_000
# For each suite except ES256K: how many certificates are made, the first serial number of the institutions, and the
# number of the first subject. Few certificates are made with SM2, because checking an SM2 signature takes milliseconds.
SUITES: Final = {"ES256": (100, 7_100, 5_000_000), "SM2SM3": (20, 7_200, 6_000_000)}
Say = Callable[[str], None]


def scene_of(ledger: Ledger, cast: Cast, subjects: Sequence[str], first: int) -> Scene:
    """Return what the parties know before they sign; ``first`` is the number of the first subject."""
    algorithm = ledger.settings.signs_with.digest
    return Scene(ledger.reader.chain, algorithm, cast.suite, cast.ids, tuple(subjects), first, ledger.clock())


def measure_sets(ledger: Ledger, scene: Scene, preparing: Preparing, node: str, most: int, say: Say) -> list[Measured]:
    """Return the measurements of the stages for each set size up to ``most``."""
    found: list[Measured] = []
    stages = Stages(ledger)
    for size, wanted in SETS.items():
        if size > most or wanted > most:
            continue
        say(f"certificates in sets of {size:,} on {node}")
        times = wanted // size
        stage = new_measurements(node, size)
        # The first set is not measured. It fills the database's cache, which is also filled in a ledger that is in use.
        for number in range(times + 1):
            items = preparing.statements(scene, number * size, size)
            measure(stages, items, stage if number else new_measurements(node, size))
        found += sums(stage)
    return found


def count_stages(ledger: Ledger, scene: Scene, preparing: Preparing, most: int) -> dict[str, Any]:
    """Return for each stage how many queries, write transactions and node calls a thousand certificates need."""
    size = min(COUNTED, most)
    items = preparing.statements(scene, 0, size)
    found = {}
    for name, act in Stages(ledger).acts().items():
        with counted(ledger.database.engine) as counts:
            act(items)
        found[name] = counts.per_thousand(size)
    return found


def measure_suite(ledger: Ledger, preparing: Preparing, node: str, suite: str, most: int) -> list[Measured]:
    """Return the measurements of the stages with statements that were signed with keys of ``suite``."""
    wanted, serial, first = SUITES[suite]
    size = min(wanted, most)
    cast = assemble(ledger, (BANK, DEPARTMENT), suite, serial)
    _, ids = onboard(ledger, preparing.subjects(ledger.reader.chain, first, min(size, 20), suite), node, size)
    items = preparing.statements(scene_of(ledger, cast, ids, first), 0, size)
    stage = new_measurements(node, size)
    measure(Stages(ledger), items, stage)
    return [replace(each, name=f"{each.name}, {suite}") for each in sums(stage)]
